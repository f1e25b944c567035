import { after } from 'node:test'
import { Producer } from '@skua-mq/client'
import { startStandalone } from 'skua'
import { type AdminSession, connect } from '../src/index.ts'

/** A running cluster in this process, and a session with it; both end after the file's tests. */
export async function cluster(
  config: Record<string, never> | object = {},
): Promise<{ namesrvAddr: string; brokerAddr: string; session: AdminSession }> {
  const standalone = await startStandalone({ port: 0, store: 'memory', config })
  const session = connect({ namesrvAddr: standalone.namesrvAddr })
  after(async () => {
    await session.close()
    await standalone.stop()
  })
  return { namesrvAddr: standalone.namesrvAddr, brokerAddr: standalone.brokers[0]!.address, session }
}

/** Sends bodies one after another to a topic. */
export async function send(namesrvAddr: string, topic: string, bodies: readonly string[]) {
  const producer = new Producer({ namesrvAddr, group: 'pg' })
  const results = []
  for (const body of bodies) results.push(await producer.send({ topic, body, keys: `key-${body}`, tag: 'A' }))
  await producer.close()
  return results
}

/** Waits until it holds. */
export async function until(what: string, holds: () => boolean | Promise<boolean>): Promise<void> {
  const end = Date.now() + 20_000
  while (!(await holds())) {
    if (Date.now() > end) throw new Error(`not within 20 s: ${what}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}
