import { allRequests, ResponseCode, requestByCode } from '@skua-mq/protocol'
import { didYouMean } from '@skua-mq/runtime'
import { type Exchange, requestWords } from '../net/exchange.ts'
import { checkShape, count, type Shape, text, textOrNumber } from '../shape.ts'

/** Which requests a fault is for. All that is given must hold; nothing given means all requests of clients. */
export interface FaultTarget {
  readonly topic?: string | undefined
  /** Of consumers, or of producers. */
  readonly group?: string | undefined
  readonly queueId?: number | undefined
  /** A client id, or the beginning of one; or `host:port` of a connection. */
  readonly client?: string | undefined
  /** `send`, `pull`, `pop`, `ack`, `retry`, `commit`, `heartbeat`, `transaction`, `check`, `route`, a name of docs/requests.md, or a number. */
  readonly request?: string | number | undefined
  /** How often it happens. Default: until it is released. */
  readonly times?: number | undefined
}

const shape: Shape<FaultTarget> = {
  topic: text,
  group: text,
  queueId: count,
  client: text,
  request: textOrNumber,
  times: count,
}

/** A fault that is there. */
export interface Fault {
  /** How often it has happened. */
  readonly hits: number
  /** It does not happen any more; what it held back goes on. */
  release(): void
}

export type RequestAction =
  | { readonly kind: 'refuse'; readonly code: number; readonly remark: string }
  | { readonly kind: 'lose' }
  | { readonly kind: 'hold' }

export type AnswerAction =
  | { readonly kind: 'drop' }
  | { readonly kind: 'delay'; readonly ms: number | undefined }
  | { readonly kind: 'duplicate' }
  | { readonly kind: 'cut'; readonly afterBytes: number }
  | { readonly kind: 'hold found' }

export class Rule implements Fault {
  readonly onRequest: RequestAction | undefined
  readonly onAnswer: AnswerAction | undefined
  /** What it holds back. */
  readonly held: (() => void)[] = []
  hits = 0
  private readonly target: FaultTarget
  private readonly requests: ReadonlySet<string> | undefined
  private readonly released: (rule: Rule) => void

  /** Throws RangeError for a request that does not exist, TypeError for a target that means nothing. */
  constructor(
    target: FaultTarget,
    actions: { readonly onRequest?: RequestAction; readonly onAnswer?: AnswerAction },
    released: (rule: Rule) => void,
  ) {
    checkShape(target, shape, { what: 'the target of a fault' })
    this.target = target
    this.onRequest = actions.onRequest
    this.onAnswer = actions.onAnswer
    this.released = released
    this.requests = namesOf(target.request)
  }

  /** Whether it is for this one, which counts then. */
  takes(exchange: Exchange): boolean {
    if (this.isSpent || !this.isFor(exchange)) return false
    this.hits++
    return true
  }

  get isSpent(): boolean {
    return this.hits >= (this.target.times ?? Number.POSITIVE_INFINITY)
  }

  isFor(exchange: Exchange): boolean {
    const { topic, group, queueId, client } = this.target
    if (topic !== undefined && topic !== exchange.topic) return false
    if (group !== undefined && group !== exchange.group) return false
    if (queueId !== undefined && queueId !== exchange.queueId) return false
    if (client !== undefined && ![...exchange.clients].some(known => known.startsWith(client))) return false
    return this.requests === undefined || this.requests.has(exchange.request)
  }

  release(): void {
    this.released(this)
    for (const go of this.held.splice(0)) go()
  }
}

const allNames: ReadonlySet<string> = new Set(allRequests.map(({ name }) => name))
const nameOf = (code: number): string => requestByCode(code)?.name ?? `code ${code}`

function namesOf(request: string | number | undefined): ReadonlySet<string> | undefined {
  if (request === undefined) return undefined
  if (typeof request === 'number') return new Set([nameOf(request)])
  const word = requestWords[request]
  if (word !== undefined) return new Set(word)
  if (allNames.has(request)) return new Set([request])
  const known = [...Object.keys(requestWords), ...allNames]
  throw new RangeError(`there is no request "${request}"${didYouMean(request, known)}`)
}

/** The number of a response, by number or by its name in RocketMQ: `SYSTEM_BUSY` or `systemBusy`. Throws RangeError. */
export function responseCodeOf(code: number | string): number {
  if (typeof code === 'number') return code
  const plain = (name: string) => name.replaceAll('_', '').toLowerCase()
  const found = Object.entries(ResponseCode).find(([name]) => plain(name) === plain(code))
  if (found !== undefined) return found[1]
  throw new RangeError(`there is no response code "${code}"${didYouMean(code, Object.keys(ResponseCode))}`)
}
