import type { Entry, Registry, RegistrySession, RegistryWrite } from './registry.ts'

/**
 * Posts JSON, with `token` as the header Authorization: `status` is HTTP's, `json` undefined where the answer was none, and `text` what it was then. Throws where none
 * came in time.
 */
export type PostJson = (
  url: string,
  body: unknown,
  token?: string,
) => Promise<{ readonly status: number; readonly json: unknown; readonly text?: string }>

export interface EtcdPlace {
  /** http://host:port, one or more: the next one is asked where one does not answer. */
  readonly endpoints: readonly string[]
  /** Keys begin with it; it ends with a slash. */
  readonly prefix: string
  /** Where etcd has users (`etcdctl auth enable`): who may read and write all keys below `prefix`. */
  readonly user?: { readonly name: string; readonly password: string } | undefined
  readonly post: PostJson
}

interface KeyValue {
  readonly key: string
  readonly value?: string
  readonly mod_revision: string
}

/** Far more than the brokers of one name have. */
const maxKeys = 1000
/** gRPC's codes: a lease that is over; a token that a member does not know (any more). */
const notFound = 5
const unauthenticated = 16
/** Users have changed since the token was given; its code is that of any argument. */
const isOldToken = /revision of auth store is old/

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

/** What to do, by what etcd says. */
const advices: readonly (readonly [said: string, advice: string])[] = [
  ['user name is empty', ' (it has users: failoverUser, failoverPasswordFile)'],
  ['permission denied', ' (failoverUser must be allowed to read and to write everything below failoverPrefix)'],
  ['CommonName of client', ' (where it has users, failoverCertFile must be a certificate whose subject has no CN)'],
]

/** What etcd says against a request. */
class EtcdError extends Error {
  readonly code: number

  constructor(method: string, { status, json, text }: Awaited<ReturnType<PostJson>>) {
    const { error, ...own } = (json ?? {}) as Partial<Said> & { error?: string | (Said & { grpc_code?: number }) }
    const said: Partial<Said> = typeof error === 'object' ? { ...error, code: error.grpc_code ?? error.code } : own
    const reason = String(said.message ?? error ?? (text || 'no reason'))
    const advice = advices.find(([said]) => reason.includes(said))?.[1] ?? ''
    super(`etcd answered ${method} with status ${status}: ${reason}${advice}`)
    this.code = said.code ?? 0
  }

  get wantsNewToken(): boolean {
    return this.code === unauthenticated || isOldToken.test(this.message)
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
  private token: string | undefined

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
    const { endpoints } = this.place
    let failure: unknown
    for (let tried = 0; tried < endpoints.length; tried++) {
      try {
        return await this.callAt(endpoints[this.turn % endpoints.length]!, method, body)
      } catch (error) {
        failure = error
      }
      if (failure instanceof EtcdError && failure.code === notFound) throw failure
      this.turn++
    }
    throw failure
  }

  /** With a token where there is a user: each lasts some minutes without use, and not over a restart of that member. */
  private async callAt(endpoint: string, method: string, body: unknown): Promise<unknown> {
    const { user } = this.place
    if (user === undefined) return this.post(endpoint, method, body)
    const known = this.token
    try {
      return await this.post(endpoint, method, body, known ?? (await this.authenticate(endpoint, user)))
    } catch (error) {
      if (known === undefined || !(error instanceof EtcdError) || !error.wantsNewToken) throw error
      return this.post(endpoint, method, body, await this.authenticate(endpoint, user))
    }
  }

  private async authenticate(
    endpoint: string,
    { name, password }: { name: string; password: string },
  ): Promise<string> {
    this.token = undefined
    const { token } = (await this.post(endpoint, 'auth/authenticate', { name, password })) as { token?: string }
    if (token === undefined) throw new Error('etcd gave no token')
    this.token = token
    return token
  }

  private async post(endpoint: string, method: string, body: unknown, token?: string): Promise<unknown> {
    const answer = await this.place.post(`${endpoint}/v3/${method}`, body, token)
    const { status, json } = answer
    // Answers of a stream come with the status 200 whatever they say.
    if (status === 200 && json !== undefined && (json as { error?: unknown }).error === undefined) return json
    throw new EtcdError(method, answer)
  }
}
