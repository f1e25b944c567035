// Retry topics of more than 127 bytes: their records have the form V2, which 5.3.3 writes, too.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { RecordMagic } from '@skua-mq/protocol'
import { PopClient, type PoppedMessage } from '../src/pop-client.ts'
import { freeBrokerPort, freePort } from '../src/reference/free-ports.ts'
import { startReference } from '../src/reference/start.ts'
import { skipWithout } from '../src/toolchain.ts'
import { SkuaProcess } from './skua-process.ts'

/** %RETRY%<group>_<topic> has 228 bytes. */
const [topic, group] = ['t'.repeat(110), 'g'.repeat(110)]
const geometry = { mappedFileSizeCommitLog: 1024 * 1024 }
/** Longer than Java takes to stop, and ours or Java's to start. */
const longMs = 40_000

interface Place {
  readonly store: string
  readonly broker: number
  readonly nameServer: number
}

type Start = (place: Place) => Promise<(signal: NodeJS.Signals) => Promise<void>>

const skua: Start = async ({ store, broker, nameServer }) => {
  const own = { brokerName: 'broker-a', brokerClusterName: 'DefaultCluster', brokerIP1: '127.0.0.1' }
  const config = { ...geometry, ...own, autoMessageVersionOnTopicLen: 'true' }
  const running = await SkuaProcess.start({ store, broker, nameServer, config })
  return signal => running.stop(signal)
}

const java: Start = async ({ store, broker, nameServer }) => {
  const running = await startReference({
    version: '5.3.3',
    ports: { nameServer, broker },
    storeDir: mkdtempSync(join(store, 'home-')),
    conf: { ...geometry, storePathRootDir: store, storePathCommitLog: join(store, 'commitlog') },
  })
  return signal => running.stop(signal)
}

/** How many records of the form V2 there are. */
function longRecords(store: string): number {
  const dir = join(store, 'commitlog')
  const magic = Buffer.alloc(4)
  magic.writeInt32BE(RecordMagic.v2)
  const bytes = readFileSync(join(dir, readdirSync(dir).sort()[0] ?? ''))
  let count = 0
  for (let at = bytes.indexOf(magic); at >= 0; at = bytes.indexOf(magic, at + 1)) count++
  return count
}

async function popOnce(client: PopClient, invisibleTime: number): Promise<PoppedMessage> {
  const end = Date.now() + longMs + 60_000
  while (Date.now() < end) {
    const { messages } = await client.pop({ invisibleTime })
    assert.ok(messages.length <= 1)
    if (messages[0] !== undefined) return messages[0]
    await sleep(500)
  }
  throw new Error('the message did not come')
}

describe('a message of a retry topic of 228 bytes', { skip: skipWithout('java'), concurrency: 1 }, () => {
  for (const [title, first, second] of [
    ['goes from ours to RocketMQ 5.3.3', skua, java],
    ['goes from RocketMQ 5.3.3 to ours', java, skua],
  ] as const)
    test(title, async () => {
      const store = mkdtempSync(join(tmpdir(), 'skua-long-topics-'))
      const place = { store, broker: await freeBrokerPort(), nameServer: await freePort() }
      const using = async (start: Start, work: (client: PopClient) => Promise<void>) => {
        const stop = await start(place)
        const client = new PopClient(`127.0.0.1:${place.broker}`, topic, group)
        try {
          await work(client)
        } finally {
          await client.close()
          await stop('SIGTERM')
        }
      }
      try {
        await using(first, async client => {
          assert.equal(await client.send('hard', 0), 0)
          assert.equal((await popOnce(client, 3000)).reconsumeTimes, 0)
          assert.equal((await popOnce(client, longMs)).reconsumeTimes, 1)
        })
        assert.equal(longRecords(store), 1)
        await using(second, async client => {
          const again = await popOnce(client, longMs)
          assert.deepEqual([again.body, again.reconsumeTimes], ['hard', 2])
          assert.equal(await client.ack(again), 0)
        })
        assert.equal(longRecords(store), 2)
      } finally {
        rmSync(store, { recursive: true, force: true })
      }
    })
})
