import process from 'node:process'
import { after } from 'node:test'
import type { BrokerConfig } from '@skua-mq/broker'
import { type Message, Producer } from '@skua-mq/client'
import { startStandalone } from '../../src/index.ts'

/** A running cluster: the one that SKUA_NAMESRV names (Apache's, say), else one in this process. */
export interface Cluster {
  readonly namesrvAddr: string
  /** Ours, and so free to be slow to nobody else. */
  readonly own: boolean
}

/** Call it once per file; it is stopped after the file's tests. */
export async function cluster(config: Partial<BrokerConfig> = {}): Promise<Cluster> {
  const given = process.env.SKUA_NAMESRV
  if (given !== undefined) return { namesrvAddr: given, own: false }
  const standalone = await startStandalone({ port: 0, store: 'memory', config })
  after(() => standalone.stop())
  return { namesrvAddr: standalone.namesrvAddr, own: true }
}

let last = 0

/** A name that no earlier run used: a shared cluster keeps topics and groups. */
export const fresh = (prefix: string): string => `${prefix}_${process.pid}_${Date.now().toString(36)}_${++last}`

/** Waits until it holds; fails with the text otherwise. */
export async function until(what: string, holds: () => boolean | Promise<boolean>, timeoutMs = 20_000): Promise<void> {
  const end = Date.now() + timeoutMs
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

export const sleep = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))

/** Sends them one after another with a producer of its own. */
export async function sendAll({ namesrvAddr }: Cluster, messages: readonly Message[]): Promise<void> {
  await using producer = new Producer({ namesrvAddr, group: fresh('pg') })
  for (const message of messages) await producer.send(message)
}
