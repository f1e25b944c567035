import { type Command, HeaderForm, type HeaderOf, type RequestSpec, readFields, writeFields } from '@skua-mq/protocol'
import type { Connection, Reply, Route } from '@skua-mq/remoting'
import type { Address } from '@skua-mq/runtime'

let lastId = 0

/** A connection without a socket: closing it is all that happens to it. */
export class TestConnection implements Connection {
  readonly id = ++lastId
  readonly remote: Address
  readonly local: Address = { host: '127.0.0.1', port: 9876 }
  open = true
  private readonly listeners: (() => void)[] = []

  constructor(host = '10.0.0.9') {
    this.remote = { host, port: 40_000 + this.id }
  }

  call(): Promise<Command> {
    return Promise.reject(new Error('a name server asks nobody'))
  }

  tell(): void {
    throw new Error('a name server tells nobody')
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

/** Asks a list of routes as the wire would: the header goes through its texts, the body is bytes. */
export function ask<Q extends AnySpec>(
  routes: readonly Route[],
  request: Q,
  header: HeaderOf<Q>,
  { body = new Uint8Array(0) as Uint8Array, connection = new TestConnection() as Connection, version = 409 } = {},
): Reply<Record<string, unknown>> & { body?: Uint8Array | undefined } {
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
  return found.handle(readFields(spec.header, extFields) as never, { connection, command, body }) as never
}

/** The same of a request whose answer takes its time. */
export async function askLater(...asked: Parameters<typeof ask>): Promise<ReturnType<typeof ask>> {
  return ask(...asked)
}
