import { AssertionError } from 'node:assert'
import { delay, NodeClock } from '@skua-mq/runtime'
import type { Fault } from '../fault/rule.ts'
import type { MessagePattern } from '../look/expect.ts'
import type { TestMessage } from '../look/messages.ts'
import { readSeed, type SeedMessage } from '../look/seed.ts'
import type { StartBrokerOptions } from '../options.ts'
import type { Snapshot } from '../snapshot.ts'
import type { TestBroker } from '../test-broker.ts'

/** A question to the control endpoint. */
export interface ControlRequest {
  readonly method: string
  /** Without the query. */
  readonly path: string
  readonly query: URLSearchParams
  readonly body: string
}

/** What is answered: status and JSON. */
export interface ControlAnswer {
  readonly status: number
  readonly json: unknown
}

type Handler = (request: ControlRequest, named: Record<string, string>) => unknown

const kinds = [
  ...(['dropAnswer', 'loseRequest', 'delayAnswer', 'duplicateAnswer', 'cut', 'refuse', 'pauseQueue'] as const),
  ...(['slowSync', 'fullDisk', 'brokenDisk'] as const),
]

/** How often an expectation is tried again that may come true. */
const againMs = 50

/** What another process may ask of a test's broker. */
export class ControlRoutes {
  private readonly broker: TestBroker
  private readonly faults = new Map<string, Fault>()
  private readonly snapshots = new Map<string, Snapshot>()
  private readonly routes: readonly (readonly [string, Handler])[]
  private last = 0

  /** `end`: the process is to end. */
  constructor(broker: TestBroker, end: () => void) {
    this.broker = broker
    this.routes = [
      ...this.ofTime(),
      ...this.ofContents(),
      ...this.ofFaults(),
      ...this.ofExpectations(),
      ...this.ofLife(end),
    ]
  }

  async answer(request: ControlRequest): Promise<ControlAnswer> {
    for (const [route, handle] of this.routes) {
      const named = match(route, request)
      if (named === undefined) continue
      try {
        return { status: 200, json: (await handle(request, named)) ?? {} }
      } catch (error) {
        return failed(error)
      }
    }
    const known = this.routes.map(([route]) => route)
    return { status: 404, json: { error: `there is no ${request.method} ${request.path}`, known } }
  }

  private ofTime(): (readonly [string, Handler])[] {
    const { clock } = this.broker
    const time = () => ({ kind: clock.kind, nowMs: clock.now(), now: clock.date().toISOString() })
    return [
      ['GET /', () => ({ namesrvAddr: this.broker.namesrvAddr, brokerAddr: this.broker.brokerAddr, clock: time() })],
      ['GET /clock', time],
      [
        'POST /clock/advance',
        async ({ body }) => {
          const { by, to } = parsed(body) as { by?: string | number; to?: string | number }
          if ((by === undefined) === (to === undefined)) throw new RangeError('one of "by" and "to" is wanted')
          await (to === undefined ? clock.advance(by!) : clock.advanceTo(new Date(to)))
          return time()
        },
      ],
      ['POST /idle', () => this.broker.idle()],
    ]
  }

  private ofContents(): (readonly [string, Handler])[] {
    const { broker } = this
    return [
      ['POST /topics', ({ body }) => broker.createTopics(parsed(body) as NonNullable<StartBrokerOptions['topics']>)],
      ['POST /groups', ({ body }) => broker.createGroups(parsed(body) as NonNullable<StartBrokerOptions['groups']>)],
      ['POST /messages', ({ body }) => broker.send(messagesOf(body))],
      ['GET /topics/:topic/messages', async (_, { topic }) => (await broker.messages(topic!)).map(shown)],
      ['GET /groups/:group/lag', ({ query }, { group }) => broker.lag(group!, query.get('topic') ?? undefined)],
      ['GET /groups/:group/dead-letters', async (_, { group }) => (await broker.deadLetters(group!)).map(shown)],
      [
        'GET /scheduled',
        async () => (await broker.scheduled()).map(({ message, ...one }) => ({ ...one, message: shown(message) })),
      ],
      ['GET /transactions', () => broker.undecided()],
    ]
  }

  private ofFaults(): (readonly [string, Handler])[] {
    const known = (id: string) => {
      const fault = this.faults.get(id)
      if (fault === undefined) throw new RangeError(`there is no fault ${id}`)
      return fault
    }
    return [
      ['POST /faults', ({ body }) => ({ id: this.keep(this.faults, this.newFault(parsed(body))) })],
      ['GET /faults/:id', (_, { id }) => ({ id, hits: known(id!).hits })],
      [
        'DELETE /faults/:id',
        (_, { id }) => {
          known(id!).release()
          this.faults.delete(id!)
        },
      ],
      [
        'DELETE /faults',
        () => {
          this.broker.faults.clear()
          this.faults.clear()
        },
      ],
    ]
  }

  private newFault(given: unknown): Fault {
    const { kind, ...target } = given as { kind?: string } & Record<string, unknown>
    const { faults } = this.broker
    switch (kind) {
      case 'slowSync':
        return faults.slowSync(target.by as string)
      case 'fullDisk':
        return faults.fullDisk(target.room as number | undefined)
      case undefined:
        throw new RangeError(`"kind" is missing: one of ${kinds.join(', ')}`)
      default:
        if (!(kinds as readonly string[]).includes(kind))
          throw new RangeError(`there is no fault "${kind}": one of ${kinds.join(', ')} is wanted`)
        return faults[kind as 'dropAnswer'](target)
    }
  }

  private ofExpectations(): (readonly [string, Handler])[] {
    const { broker } = this
    type Pattern = MessagePattern & { group: string; waitMs?: number }
    const expecting =
      (expect: (pattern: Pattern) => Promise<void>): Handler =>
      async ({ body }) => {
        const { waitMs = 0, ...pattern } = parsed(body) as Pattern
        if (typeof pattern.group !== 'string') throw new RangeError('"group" is missing')
        await patiently(() => expect(pattern), waitMs)
      }
    return [
      ['POST /expect/delivered', expecting(pattern => broker.expectDelivered(pattern))],
      ['POST /expect/not-delivered', expecting(pattern => broker.expectNotDelivered(pattern))],
      ['POST /expect/dead-letter', expecting(pattern => broker.expectDeadLetter(pattern))],
    ]
  }

  private ofLife(end: () => void): (readonly [string, Handler])[] {
    const { broker } = this
    return [
      ['POST /snapshots', async () => ({ id: this.keep(this.snapshots, await broker.snapshot()) })],
      [
        'POST /snapshots/:id/restore',
        async (_, { id }) => {
          const snapshot = this.snapshots.get(id!)
          if (snapshot === undefined) throw new RangeError(`there is no snapshot ${id}`)
          await broker.restore(snapshot)
        },
      ],
      ['POST /restart', () => broker.restart()],
      ['POST /kill', () => broker.kill()],
      ['POST /start', () => broker.start()],
      ['POST /stop', end],
    ]
  }

  private keep<T>(all: Map<string, T>, one: T): string {
    const id = String(++this.last)
    all.set(id, one)
    return id
  }
}

/** The named parts of the path, where it is of this route. */
function match(route: string, { method, path }: ControlRequest): Record<string, string> | undefined {
  const [ownMethod, ownPath] = route.split(' ') as [string, string]
  const parts = path.split('/')
  const own = ownPath.split('/')
  if (ownMethod !== method || own.length !== parts.length) return undefined
  const named: Record<string, string> = {}
  for (const [at, part] of own.entries()) {
    if (part.startsWith(':')) named[part.slice(1)] = decodeURIComponent(parts[at]!)
    else if (part !== parts[at]) return undefined
  }
  return named
}

const parsed = (body: string): unknown => JSON.parse(body === '' ? '{}' : body)

/** A list, or JSON lines. */
function messagesOf(body: string): readonly SeedMessage[] {
  return body.trimStart().startsWith('[') ? (JSON.parse(body) as SeedMessage[]) : readSeed(body, 'body')
}

/** What was handed out over a socket may take a while to be committed. */
async function patiently(check: () => Promise<void>, waitMs: number): Promise<void> {
  const machine = new NodeClock()
  for (const end = machine.monotonic() + waitMs; ; await delay(machine, againMs)) {
    try {
      await check()
      return
    } catch (error) {
      if (!(error instanceof AssertionError) || machine.monotonic() >= end) throw error
    }
  }
}

const shown = (message: TestMessage) => ({
  ...message,
  body: undefined,
  text: message.text,
  value: message.value,
  base64: message.body.toString('base64'),
})

/** 409: what was expected is not so; 400: what was asked is wrong, or could not be done. */
function failed(error: unknown): ControlAnswer {
  if (error instanceof AssertionError) {
    const { message, actual, expected } = error
    return { status: 409, json: { error: message, actual, expected } }
  }
  return { status: 400, json: { error: (error as Error).message } }
}
