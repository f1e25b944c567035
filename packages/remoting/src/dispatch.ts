import {
  type Command,
  HeaderError,
  isOneway,
  type RequestSpec,
  ResponseCode,
  readFields,
  responseFlag,
  writeFields,
} from '@skua-mq/protocol'
import { type Events, Failure } from '@skua-mq/runtime'
import type { Channel } from './channel.ts'
import { handlerFailed } from './events.ts'
import { type Reply, refuse } from './reply.ts'
import { noReply, type Route } from './route.ts'

type Outcome = Reply<Record<string, unknown>> | typeof noReply

/** The generic path of a request: header by its table, handler, reply by its table. */
export class Dispatch {
  private readonly routes: ReadonlyMap<number, Route>
  private readonly events: Events
  private readonly limit: number
  private pending = 0

  constructor(
    routes: readonly Route[],
    { events, maxPendingRequests }: { events: Events; maxPendingRequests: number },
  ) {
    const table = new Map<number, Route>()
    for (const route of routes) {
      if (table.has(route.request.code)) throw new Error(`two handlers for request code ${route.request.code}`)
      table.set(route.request.code, route)
    }
    this.routes = table
    this.events = events
    this.limit = maxPendingRequests
  }

  run(command: Command, channel: Channel): void {
    const route = this.routes.get(command.code)
    if (route === undefined) {
      this.reply(
        undefined,
        { command, channel },
        refuse(ResponseCode.requestCodeNotSupported, `request code ${command.code} is not supported`),
      )
      return
    }
    const { request } = route
    const asked = { command, channel }
    let outcome: Outcome | Promise<Outcome>
    try {
      const header = readFields(request.header, command.extFields)
      outcome = route.handle(header as never, { connection: channel, command, body: command.body ?? noBody }) as
        | Outcome
        | Promise<Outcome>
    } catch (error) {
      this.reply(request, asked, this.refusalOf(error, asked))
      return
    }
    if (!(outcome instanceof Promise)) {
      this.reply(request, asked, outcome)
      return
    }
    if (this.pending >= this.limit) {
      outcome.catch(() => {})
      this.reply(
        request,
        asked,
        refuse(ResponseCode.systemBusy, `[OVERLOAD]maxPendingRequests (${this.limit}) requests are being worked on`),
      )
      return
    }
    this.pending++
    outcome
      .catch(error => this.refusalOf(error, asked))
      .then(result => {
        this.pending--
        this.reply(request, asked, result)
      })
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

  private reply(request: RequestSpec | undefined, { command, channel }: Asked, outcome: Outcome): void {
    if (outcome === noReply || isOneway(command) || !channel.open) return
    const fields =
      outcome.header === undefined || request === undefined ? {} : writeFields(request.reply, outcome.header)
    channel.send({
      code: outcome.code,
      language: channel.identity.language,
      version: channel.identity.version,
      opaque: command.opaque,
      flag: responseFlag,
      remark: outcome.remark,
      extFields: outcome.extra === undefined ? fields : { ...fields, ...outcome.extra },
      body: 'body' in outcome ? outcome.body : undefined,
      form: command.form,
    })
  }
}

interface Asked {
  readonly command: Command
  readonly channel: Channel
}

const noBody = new Uint8Array(0)
