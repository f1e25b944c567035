import type { Entry, Registry, RegistrySession, RegistryWrite } from './registry.ts'

/** Posts JSON: `status` is HTTP's, `json` undefined where the answer was none. Throws where none came in time. */
export type PostJson = (url: string, body: unknown) => Promise<{ readonly status: number; readonly json: unknown }>

export interface EtcdPlace {
  /** http://host:port, one or more: the next one is asked where one does not answer. */
  readonly endpoints: readonly string[]
  /** Keys begin with it; it ends with a slash. */
  readonly prefix: string
  readonly post: PostJson
}

interface KeyValue {
  readonly key: string
  readonly value?: string
  readonly mod_revision: string
}

/** Far more than the brokers of one name have. */
const maxKeys = 1000
/** gRPC's code: a lease that is over. */
const notFound = 5

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const text = (coded: string | undefined): string => Buffer.from(coded ?? '', 'base64').toString('utf8')

/** The first key that does not begin so. */
const behind = (prefix: string): string =>
  `${prefix.slice(0, -1)}${String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)}`

interface Answer {
  readonly header?: { readonly raft_term?: string }
}

const termOf = (header: Answer['header']): number => Number(header?.raft_term ?? 0)

interface Said {
  /** gRPC's; `grpc_code` in the answers of streams by 3.4. */
  readonly code: number
  readonly message: string
}

/** What etcd says against a request. */
class EtcdError extends Error {
  readonly code: number

  constructor(method: string, status: number, json: unknown) {
    const { error, ...own } = (json ?? {}) as Partial<Said> & { error?: string | (Said & { grpc_code?: number }) }
    const said: Partial<Said> = typeof error === 'object' ? { ...error, code: error.grpc_code ?? error.code } : own
    super(`etcd answered ${method} with status ${status}: ${said.message ?? error ?? 'no reason'}`)
    this.code = said.code ?? 0
  }
}

/**
 * The registry in etcd 3.4 and later, by its JSON gateway (`/v3/`): 64-bit numbers are strings there, keys and values base64.
 * Reads are linearizable: etcd answers them with the consent of its majority. A request whose answer was lost is asked again at the next
 * endpoint: where it was done the first time, a condition of a write holds no longer, and `false` comes of it.
 */
export class EtcdRegistry implements Registry {
  private readonly place: EtcdPlace
  private turn = 0
  /** raft_term of who answered a renewal last. */
  private renewedTerm = 0

  constructor(place: EtcdPlace) {
    this.place = place
  }

  async read(): Promise<ReadonlyMap<string, Entry>> {
    const { prefix } = this.place
    const all = { key: base64(prefix), range_end: base64(behind(prefix)), limit: String(maxKeys) }
    const {
      header,
      kvs = [],
      more,
    } = (await this.call('kv/range', all)) as Answer & {
      kvs?: readonly KeyValue[]
      more?: boolean
    }
    // It may renew leases for a while after another one is: what it has renewed may have ended.
    if (this.renewedTerm > 0 && termOf(header) > this.renewedTerm) {
      this.renewedTerm = 0
      throw new Error('another member of etcd has become the leader since the lease was renewed')
    }
    if (more === true) throw new Error(`below ${prefix} are more than ${maxKeys} keys: somebody else writes there`)
    return new Map(
      kvs.map(({ key, value, mod_revision }) => [
        text(key).slice(prefix.length),
        { value: text(value), revision: Number(mod_revision) },
      ]),
    )
  }

  async open(ttlMs: number): Promise<RegistrySession> {
    const { ID: id, TTL: ttl } = (await this.call('lease/grant', { TTL: String(Math.ceil(ttlMs / 1000)) })) as Record<
      string,
      string
    >
    if (id === undefined || ttl === undefined) throw new Error('etcd granted no lease')
    return {
      ttlMs: Number(ttl) * 1000,
      renew: async () => {
        const { result } = (await this.call('lease/keepalive', { ID: id })) as { result?: Answer & { TTL?: string } }
        this.renewedTerm = termOf(result?.header)
        return Number(result?.TTL ?? 0) > 0
      },
      write: change => this.write(change, id),
      close: async () => {
        await this.call('lease/revoke', { ID: id })
      },
    }
  }

  private async write({ when, put = {}, putForSession = {} }: RegistryWrite, lease: string): Promise<boolean> {
    const { prefix } = this.place
    const puts = (of: Readonly<Record<string, string>>, further: object) =>
      Object.entries(of).map(([key, value]) => ({
        request_put: { key: base64(prefix + key), value: base64(value), ...further },
      }))
    const compare = Object.entries(when).map(([key, revision]) => ({
      ...{ key: base64(prefix + key), target: 'MOD', result: 'EQUAL', mod_revision: String(revision) },
    }))
    const success = [...puts(put, {}), ...puts(putForSession, { lease })]
    try {
      const { succeeded } = (await this.call('kv/txn', { compare, success })) as { succeeded?: boolean }
      return succeeded === true
    } catch (error) {
      if (error instanceof EtcdError && error.code === notFound) return false
      throw error
    }
  }

  /** Each endpoint once, beginning with the one that answered last. One that has no majority, or is ill, is as good as none. */
  private async call(method: string, body: unknown): Promise<unknown> {
    const { endpoints, post } = this.place
    let failure: unknown
    for (let tried = 0; tried < endpoints.length; tried++) {
      try {
        const { status, json } = await post(`${endpoints[this.turn % endpoints.length]}/v3/${method}`, body)
        // Answers of a stream come with the status 200 whatever they say.
        if (status === 200 && json !== undefined && (json as { error?: unknown }).error === undefined) return json
        failure = new EtcdError(method, status, json)
      } catch (error) {
        failure = error
      }
      if (failure instanceof EtcdError && failure.code === notFound) throw failure
      this.turn++
    }
    throw failure
  }
}
