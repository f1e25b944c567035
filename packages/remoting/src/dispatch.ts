import {
  boundRemark,
  type Command,
  HeaderError,
  isOneway,
  notSupported,
  type RequestSpec,
  ResponseCode,
  readFields,
  responseFlag,
  writeFields,
} from '@skua-mq/protocol'
import { type Events, Failure } from '@skua-mq/runtime'
import type { Channel } from './channel.ts'
import { handlerFailed } from './events.ts'
import type { Admission } from './gate.ts'
import { type Refusal, type Reply, refuse } from './reply.ts'
import { noReply, type Route } from './route.ts'
import { resultOf, type Watch } from './watch.ts'

type Outcome = Reply<Record<string, unknown>> | typeof noReply

/** The generic path of a request: gate, header by its table, handler, reply by its table. */
export class Dispatch {
  private readonly routes: ReadonlyMap<number, Route>
  private readonly events: Events
  private readonly admission: Admission
  private readonly watch: Watch | undefined

  constructor(
    routes: readonly Route[],
    { events, admission, watch }: { events: Events; admission: Admission; watch?: Watch | undefined },
  ) {
    const table = new Map<number, Route>()
    for (const route of routes) {
      if (table.has(route.request.code)) throw new Error(`two handlers for request code ${route.request.code}`)
      table.set(route.request.code, route)
    }
    this.routes = table
    this.events = events
    this.admission = admission
    this.watch = watch
  }

  run(command: Command, channel: Channel): void {
    const asked = this.asked(command, channel)
    const route = this.routes.get(command.code)
    if (route === undefined) {
      this.reply(undefined, asked, refuse(ResponseCode.requestCodeNotSupported, notSupported(command.code)))
      return
    }
    const refusal = this.admission.admit(command, channel)
    if (refusal !== undefined) {
      this.reply(route.request, asked, refusal)
      return
    }
    // On the account before the work begins: what it brings is owed from now on.
    channel.account.begin()
    // Its body, too: what waits for a disk that hangs is bounded in bytes.
    const reserved = channel.account.reserve((route.readBytes ?? 0) + (command.body?.length ?? 0))
    const begunMs = asked.beganMs > 0 ? (this.watch?.now() ?? 0) : 0
    const outcome = this.begin(route, asked)
    if (begunMs > 0) asked.handledMs = (this.watch?.now() ?? 0) - begunMs
    if (outcome instanceof Promise) outcome.then(result => this.over(route, asked, { result, reserved }))
    else this.over(route, asked, { result: outcome, reserved })
  }

  /** Nothing was done for it. */
  refuse(command: Command, channel: Channel, refusal: Refusal): void {
    this.reply(undefined, this.asked(command, channel), refusal)
  }

  private asked(command: Command, channel: Channel): Asked {
    const beganMs = this.watch?.beginOf(channel) ?? 0
    return { command, channel, beganMs, cameMs: beganMs > 0 ? channel.cameMs : 0, handledMs: 0 }
  }

  /** A promise that never rejects, where the handler answers later. */
  private begin({ request, handle }: Route, asked: Asked): Outcome | Promise<Outcome> {
    const { command, channel } = asked
    try {
      const header = readFields(request.header, command.extFields)
      const call = { connection: channel, command, body: command.body ?? noBody }
      const outcome = handle(header as never, call) as Outcome | Promise<Outcome>
      return outcome instanceof Promise ? outcome.catch(error => this.refusalOf(error, asked)) : outcome
    } catch (error) {
      return this.refusalOf(error, asked)
    }
  }

  private over(
    { request }: Route,
    asked: Asked,
    { result, reserved }: { readonly result: Outcome; readonly reserved: number },
  ): void {
    const { account } = asked.channel
    account.end()
    account.giveBack(reserved)
    this.reply(request, asked, result)
    asked.channel.relax()
  }

  private refusalOf(error: unknown, { command, channel }: Asked): Outcome {
    if (error instanceof HeaderError) return refuse(ResponseCode.systemError, error.message)
    // A body that does not read is the sender's fault; anything else is ours and worth an event.
    if (!(error instanceof SyntaxError || error instanceof RangeError)) {
      this.events.emit(handlerFailed({ code: command.code, peer: channel.peer, error }))
    }
    const text =
      error instanceof Failure ? `${error.code}: ${error.message}` : String((error as Error)?.message ?? error)
    return refuse(ResponseCode.systemError, text)
  }

  /** Answers, also where the answer itself cannot be written: it may quote what a peer sent. */
  private reply(request: RequestSpec | undefined, asked: Asked, outcome: Outcome): void {
    const { command, channel, beganMs, cameMs, handledMs } = asked
    if (outcome === noReply) return
    const result = resultOf(isOneway(command), channel.open)
    this.watch?.answered({ code: command.code, beganMs, cameMs, handledMs, wasHeld: false }, outcome.code, {
      peer: channel,
      result,
    })
    if (result !== 'success') return
    try {
      channel.send(replyOf(request, asked, outcome))
    } catch (error) {
      this.events.emit(handlerFailed({ code: command.code, peer: channel.peer, error }))
      const text = `the answer to request code ${command.code} cannot be written: ${String((error as Error)?.message)}`
      channel.send(replyOf(undefined, asked, refuse(ResponseCode.systemError, text)))
    }
  }
}

function replyOf(
  request: RequestSpec | undefined,
  { command, channel }: Asked,
  outcome: Reply<Record<string, unknown>>,
): Command {
  const fields = outcome.header === undefined || request === undefined ? {} : writeFields(request.reply, outcome.header)
  return {
    code: outcome.code,
    language: channel.identity.language,
    version: channel.identity.version,
    opaque: command.opaque,
    flag: responseFlag,
    remark: outcome.remark === undefined ? undefined : boundRemark(outcome.remark),
    extFields: outcome.extra === undefined ? fields : { ...fields, ...outcome.extra },
    body: 'body' in outcome ? outcome.body : undefined,
    form: channel.identity.replyForm ?? command.form,
  }
}

interface Asked {
  readonly command: Command
  readonly channel: Channel
  /** Monotonic; 0 where nobody watches. */
  readonly beganMs: number
  readonly cameMs: number
  /** How long its handler ran before it returned, be it with a promise. */
  handledMs: number
}

const noBody = new Uint8Array(0)
