import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe } from 'node:test'
import { getBrokerClusterInfo, type HeaderOf, updateBrokerConfig } from '@skua-mq/protocol'
import { RemotingClient, type TypedReply } from '@skua-mq/remoting'
import { EventHub, nodeRuntime } from '@skua-mq/runtime'
import type { Standalone, StandaloneOptions } from 'skua'
import { type Driver, DriverError } from '../src/driver.ts'
import { javaClient, javaVersions } from '../src/java-client.ts'
import { startSkua } from '../src/start-skua.ts'
import { skipWithout } from '../src/toolchain.ts'

/** What assert.rejects is given: the broker's code, and what its remark says. */
export const refusal = (code: number, text: RegExp) => (error: unknown) => {
  assert.ok(error instanceof DriverError, String(error))
  assert.equal(error.code, code, error.message)
  assert.match(error.message, text)
  return true
}

export const bodies = (got: readonly Got[]): string[] => got.map(message => message.body).sort()

/** What the driver tells of a message that was stored. */
export interface Sent {
  status: string
  msgId: string
  offsetMsgId: string
  queueId: number
  brokerName: string
  queueOffset: number
}

/** What the driver tells of a message that a consumer was given. */
export interface Got {
  topic: string
  queueId: number
  queueOffset: number
  msgId: string
  tags: string
  keys: string
  body: string
  bornTimestamp: number
  storeTimestamp: number
  receivedAt: number
  reconsumeTimes: number
  properties: Record<string, string>
}

export interface Pulled {
  status: string
  next: number
  min: number
  max: number
  messages: Got[]
}

/** One request to the broker, as mqadmin would send it. */
export type Ask = <Q extends Parameters<RemotingClient['request']>[1]>(
  spec: Q,
  header: HeaderOf<Q>,
  body?: Uint8Array,
) => Promise<TypedReply<Q>>

/** By queue 0 unless told otherwise. */
export type PullOf = { topic: string; brokerName: string | undefined; offset: number } & Record<string, unknown>

/** An official Java client, and the broker that it talks to: ours, or the one that SKUA_NAMESRV names. */
export class JavaWorld {
  /** The broker is ours, and is stopped and started at will. */
  readonly owned: boolean
  namesrv: string
  java!: Driver
  private readonly version: string
  private readonly options: Partial<StandaloneOptions>
  private readonly store: string
  private running: Standalone | undefined

  constructor(version: string, options: Partial<StandaloneOptions>) {
    this.version = version
    this.options = options
    this.namesrv = process.env['SKUA_NAMESRV'] ?? ''
    this.owned = this.namesrv === ''
    this.store = mkdtempSync(join(tmpdir(), 'skua-java-'))
  }

  async start(): Promise<void> {
    if (this.owned) {
      this.running = await startSkua({ port: 0, store: this.store, ...this.options })
      this.namesrv = this.running.namesrvAddr
    }
    this.java = await javaClient(this.version as (typeof javaVersions)[number])
  }

  async stop(): Promise<void> {
    await this.java?.kill()
    await this.running?.stop()
    rmSync(this.store, { recursive: true, force: true })
  }

  /** The same addresses, the same store. */
  async restart(): Promise<void> {
    const [host, port] = (this.running?.brokers[0]?.address ?? '').split(':')
    const nameServerPort = Number(this.namesrv.split(':')[1])
    await this.running?.stop()
    this.running = await startSkua({
      ...{ store: this.store, ...this.options },
      ...{ host: host ?? '', port: Number(port), nameServerPort },
    })
  }

  /** One that other versions and runs do not use, at a broker that outlives them. */
  name(what: string): string {
    return `${what}_${this.version.replaceAll('.', '_')}_${process.pid}`
  }

  call<T>(what: string, request: Record<string, unknown>): Promise<T> {
    return this.java.call<T>(what, { namesrv: this.namesrv, ...request })
  }

  send(topic: string, request: Record<string, unknown> = {}): Promise<Sent[]> {
    return this.call('send', { topic, ...request })
  }

  /** A push consumer; its group is called as itself unless told otherwise. */
  push(consumer: string, request: Record<string, unknown>): Promise<unknown> {
    return this.call('push', { name: consumer, group: this.name(consumer), ...request })
  }

  /** Until they are there; a 5.x client may be half a minute late with what its heartbeat announces, at any broker. */
  received(consumer: string, count: number, timeoutMs = 45_000): Promise<Got[]> {
    return this.java.call('received', { name: consumer, count, timeoutMs })
  }

  stopConsumer(name: string): Promise<unknown> {
    return this.java.call('stopConsumer', { name })
  }

  pull(request: PullOf): Promise<Pulled> {
    return this.call('pull', { queueId: 0, ...request })
  }

  /** Every message of a topic; none where the topic is not there yet. */
  readAll(topic: string): Promise<Got[]> {
    return this.call<Got[]>('readAll', { topic }).catch(() => [])
  }

  /** What mqadmin would ask the broker, or another server. */
  async withTool<T>(work: (ask: Ask, brokerAddr: string) => Promise<T>, server?: string): Promise<T> {
    const tool = new RemotingClient(nodeRuntime(new EventHub()))
    try {
      const address = server ?? (await this.brokerAddr(tool))
      const timeoutMs = 15_000
      return await work(
        (spec, header, body) =>
          tool.request(address, spec, header, { timeoutMs, ...(body === undefined ? {} : { body }) }),
        address,
      )
    } finally {
      await tool.close()
    }
  }

  /** As mqadmin updateBrokerConfig does. */
  setOption(key: string, value: unknown): Promise<void> {
    return this.withTool(async ask => {
      const reply = await ask(updateBrokerConfig, {}, Buffer.from(`${key}=${value}\n`))
      assert.equal(reply.code, 0, reply.remark)
    })
  }

  private async brokerAddr(tool: RemotingClient): Promise<string> {
    const own = this.running?.brokers[0]?.address
    if (own !== undefined) return own
    const reply = await tool.request(this.namesrv, getBrokerClusterInfo, {}, { timeoutMs: 15_000 })
    const [broker] = getBrokerClusterInfo.replyBody!.decode(reply.body!).brokerAddrTable.values()
    return broker?.brokerAddrs.get(0) ?? ''
  }
}

/** Tests with each version of the client, which is started once for all of them. */
export function withJava(
  title: string,
  options: Partial<StandaloneOptions>,
  tests: (world: JavaWorld) => void,
  versions: readonly string[] = javaVersions,
): void {
  const skip = skipWithout('java')
  for (const version of versions) {
    describe(`${title} ${version}`, { skip }, () => {
      const world = new JavaWorld(version, options)
      before(() => world.start())
      after(() => world.stop())
      tests(world)
    })
  }
}
