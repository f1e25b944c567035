import type { Entry, Registry, RegistrySession, RegistryWrite } from './registry.ts'

/** Posts a JSON document and resolves with the one that is answered. Throws where it is answered otherwise, or not in time. */
export type PostJson = (url: string, body: unknown) => Promise<unknown>

export interface EtcdPlace {
  /** http://host:port, one or more: the next one is asked where one does not answer. */
  readonly endpoints: readonly string[]
  /** Keys begin with it. */
  readonly prefix: string
  readonly post: PostJson
}

interface KeyValue {
  readonly key: string
  readonly value?: string
  readonly mod_revision: string
}

const base64 = (text: string): string => Buffer.from(text).toString('base64')
const text = (coded: string | undefined): string => Buffer.from(coded ?? '', 'base64').toString('utf8')

/** The registry in etcd 3.4 and later, by its JSON gateway (`/v3/`): 64-bit numbers are strings there, keys and values base64. */
export class EtcdRegistry implements Registry {
  private readonly place: EtcdPlace
  private turn = 0

  constructor(place: EtcdPlace) {
    this.place = place
  }

  async read(): Promise<ReadonlyMap<string, Entry>> {
    const { prefix } = this.place
    const all = { key: base64(prefix), range_end: base64(behind(prefix)), limit: String(maxKeys) }
    const { kvs = [] } = (await this.call('kv/range', all)) as { kvs?: readonly KeyValue[] }
    return new Map(
      kvs.map(({ key, value, mod_revision }) => [
        text(key).slice(prefix.length),
        { value: text(value), revision: Number(mod_revision) },
      ]),
    )
  }

  async open(ttlMs: number): Promise<RegistrySession> {
    const granted = (await this.call('lease/grant', { TTL: String(Math.ceil(ttlMs / 1000)) })) as Record<string, string>
    const { ID: id, TTL: ttl } = granted
    if (id === undefined || ttl === undefined) throw new Error(`etcd granted no lease: ${granted.error ?? 'no ID'}`)
    return {
      ttlMs: Number(ttl) * 1000,
      renew: async () => {
        const { result } = (await this.call('lease/keepalive', { ID: id })) as { result?: { TTL?: string } }
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
    const { succeeded } = (await this.call('kv/txn', { compare, success })) as { succeeded?: boolean }
    return succeeded === true
  }

  /** Each endpoint once, beginning with the one that answered last. */
  private async call(method: string, body: unknown): Promise<unknown> {
    const { endpoints, post } = this.place
    let failure: unknown
    for (let tried = 0; tried < endpoints.length; tried++) {
      try {
        return await post(`${endpoints[this.turn % endpoints.length]}/v3/${method}`, body)
      } catch (error) {
        failure = error
        this.turn++
      }
    }
    throw failure
  }
}

/** Far more than the brokers of one name have. */
const maxKeys = 1000

/** The first key that does not begin so. */
const behind = (prefix: string): string =>
  prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
