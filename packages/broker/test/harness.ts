import {
  type Codec,
  type Command,
  type ConsumerData,
  HeaderForm,
  type HeaderOf,
  type RequestSpec,
  readFields,
  type SlicedCodec,
  type SubscriptionData,
  writeFields,
} from '@skua-mq/protocol'
import type { Connection, OutgoingCommand, Reply, Route } from '@skua-mq/remoting'
import { type Address, type Event, EventHub, SimClock, SimDisk } from '@skua-mq/runtime'
import { TableFile } from '../src/persist/table-file.ts'

let lastId = 0

/** A connection without a socket: keeps what it is told. */
export class TestConnection implements Connection {
  readonly id = ++lastId
  readonly remote: Address = { host: '10.0.0.9', port: 40_000 + this.id }
  readonly local: Address = { host: '10.0.0.1', port: 10_911 }
  readonly told: OutgoingCommand[] = []
  open = true
  private readonly listeners: (() => void)[] = []

  call(): Promise<Command> {
    return Promise.reject(new Error('nothing is asked here'))
  }

  tell(command: OutgoingCommand): void {
    this.told.push(command)
  }

  onClose(run: () => void): void {
    if (this.open) this.listeners.push(run)
    else run()
  }

  close(): void {
    this.open = false
    for (const run of this.listeners.splice(0)) run()
  }
}

type AnySpec = RequestSpec<never, never, never, never> | RequestSpec
export type Answered = Reply<Record<string, unknown>> & { body?: Uint8Array | undefined }

/** Asks a list of routes as the wire would: the header goes through its texts, the body is bytes. */
export async function ask<Q extends AnySpec>(
  routes: readonly Route[],
  request: Q,
  header: HeaderOf<Q>,
  { body = new Uint8Array(0) as Uint8Array, connection = new TestConnection() as Connection, version = 409 } = {},
): Promise<Answered> {
  const spec = request as RequestSpec
  const found = routes.find(route => route.request.code === spec.code)
  if (found === undefined) throw new Error(`no route for ${spec.name}`)
  const extFields = writeFields(spec.header, header as never)
  const command: Command = {
    code: spec.code,
    language: 0,
    version,
    opaque: 1,
    flag: 0,
    extFields,
    form: HeaderForm.json,
  }
  return (await found.handle(readFields(spec.header, extFields) as never, { connection, command, body })) as Answered
}

/** The body of an answer as its request's table reads it. */
export function bodyOf<S>(spec: { readonly replyBody?: Codec<S> }, reply: Answered): S {
  if (spec.replyBody === undefined || reply.body === undefined)
    throw new Error(`no body: ${reply.code} ${reply.remark}`)
  return spec.replyBody.decode(reply.body)
}

/** A clock, a disk, and what was told. */
export function machine() {
  const clock = new SimClock()
  const events = new EventHub()
  const seen: Event[] = []
  events.subscribe(event => seen.push(event))
  const disk = new SimDisk(clock)
  return {
    clock,
    events,
    disk,
    /** Names of events so far. */
    names: () => seen.map(event => event.name),
    fieldsOf: (name: string) => seen.filter(event => event.name === name).map(event => event.fields),
    file: <T>(path: string, codec: SlicedCodec<T>) => new TableFile({ disk, events, path, codec }),
  }
}

export function subscription(
  topic: string,
  subString = '*',
  changes: Partial<SubscriptionData> = {},
): SubscriptionData {
  const tagsSet = subString === '*' ? [] : subString.split('||').map(tag => tag.trim())
  return {
    topic,
    subString,
    classFilterMode: false,
    tagsSet,
    codeSet: [],
    subVersion: 1,
    expressionType: 'TAG',
    ...changes,
  }
}

export function consumerData(
  groupName: string,
  subscriptionDataSet: SubscriptionData[],
  changes: Partial<ConsumerData> = {},
): ConsumerData {
  return {
    groupName,
    consumeType: 'CONSUME_PASSIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
    unitMode: false,
    subscriptionDataSet,
    ...changes,
  }
}
