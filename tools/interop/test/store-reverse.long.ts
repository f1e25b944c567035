// A store of ours under the real brokers, and back. Each step has a client of its own, so that none knows a place
// from before; ports stay, because message ids name the address of their broker.
import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import type { Driver } from '../src/driver.ts'
import { javaClient } from '../src/java-client.ts'
import { freeBrokerPort, freePort } from '../src/reference/free-ports.ts'
import { referenceVersions } from '../src/reference/jars.ts'
import { startReference } from '../src/reference/start.ts'
import { skipWithout } from '../src/toolchain.ts'
import { until } from '../src/until.ts'
import { SkuaProcess } from './skua-process.ts'

interface Sent {
  status: string
  msgId: string
  offsetMsgId: string
  queueId: number
  queueOffset: number
}
interface Got extends Omit<Sent, 'status' | 'offsetMsgId'> {
  tags: string
  keys: string
  body: string
  properties: Record<string, string>
  storeTimestamp: number
}

/** Small files, so that a few hundred messages fill several of each kind. */
const geometry = {
  mappedFileSizeCommitLog: 16 * 1024,
  mappedFileSizeConsumeQueue: 20 * 25,
  maxHashSlotNum: 100,
  maxIndexNum: 400,
}
const extended = { enableConsumeQueueExt: 'true', mappedFileSizeConsumeQueueExt: 2048 }
const topic = 'Reverse'
const group = 'reverse'
const oursCount = 200
const javaCount = 100
const filler = '.'.repeat(150)

const place = ({ queueId, queueOffset }: { queueId: number; queueOffset: number }) => `${queueId}@${queueOffset}`
/** All of a message that must outlive a change of broker. */
const whole = (message: Got) =>
  [place(message), message.msgId, message.tags, message.keys, message.body, message.storeTimestamp].join(' ')

/** The Java client before one broker, for one step. */
class Step {
  private readonly java: Driver
  private readonly namesrv: string

  constructor(java: Driver, namesrv: string) {
    this.java = java
    this.namesrv = namesrv
  }

  async send(who: string, count: number): Promise<Sent[]> {
    const request = { namesrv: this.namesrv, topic, count, tag: who, key: who, body: `${who} ${filler}`, shards: 4 }
    const sent = await this.java.call<Sent[]>('send', request)
    assert.ok(sent.length === count && sent.every(({ status }) => status === 'SEND_OK'))
    return sent
  }

  /** Consumes in the group until all of `wanted` were there, and a moment longer; its offsets are then stored. */
  async consume(wanted: readonly Sent[]): Promise<Got[]> {
    const tags = 'ours || last || java || again'
    await this.java.call('push', { namesrv: this.namesrv, topic, group, tags, name: 'step' })
    const received = (count: number, timeoutMs: number) =>
      this.java.call<Got[]>('received', { name: 'step', count, timeoutMs })
    await until(async () => {
      const places = new Set((await received(wanted.length, 1000)).map(place))
      return wanted.every(each => places.has(place(each)))
    }, 'every message is consumed')
    const got = await received(oursCount * 10, 1500)
    await this.java.call('stopConsumer', { name: 'step' })
    return got
  }

  /**
   * Reads every queue, and asks for messages by key, by unique key, by id, and for the offsets of queues. RocketMQ looks
   * for a time in the first queue file whose modification time is not before it: files of this size which are written
   * within one flush interval look alike to it, and it answers too early a place, never too late a one.
   */
  async verify(sent: readonly Sent[], timeSearch: 'exact' | 'early' = 'exact'): Promise<Map<string, string>> {
    const ask = { namesrv: this.namesrv, topic }
    let all: Got[] = []
    // A broker that has just started may still be filling its queues.
    await until(async () => {
      all = await this.java.call<Got[]>('readAll', ask)
      return all.length >= sent.length
    }, 'every message is in its queue')
    assert.equal(all.length, sent.length)
    const found = new Map(all.map(message => [place(message), message]))
    for (const each of sent) assert.equal(found.get(place(each))?.msgId, each.msgId, place(each))
    for (const each of [sent[0], sent[Math.floor(sent.length / 2)], sent.at(-1)]) {
      const message = each && found.get(place(each))
      if (each === undefined || message === undefined) throw new Error('no message to look at')
      await until(async () => {
        const byKey = await this.java.call<Got[]>('queryKey', { ...ask, key: message.keys }).catch(() => [])
        return byKey.length === 1 && byKey[0]?.body === message.body
      }, `the message of key ${message.keys} is found`)
      await until(async () => {
        const byUnique = await this.java.call<Got>('viewMessage', { ...ask, msgId: each.msgId }).catch(() => undefined)
        return byUnique?.body === message.body
      }, `the message of the unique key ${each.msgId} is found`)
      const byId = await this.java.call<Got>('viewMessage', { ...ask, msgId: each.offsetMsgId })
      assert.deepEqual([byId.body, place(byId)], [message.body, place(message)])
      const rows = await this.java.call<{ queueId: number; min: number; max: number; atTime: number }[]>('offsets', {
        ...ask,
        timestamp: message.storeTimestamp,
      })
      const row = rows.find(({ queueId }) => queueId === message.queueId)
      assert.equal(row?.min, 0)
      assert.equal(row?.max, all.filter(({ queueId }) => queueId === message.queueId).length)
      const atTime = found.get(`${message.queueId}@${row?.atTime}`)?.storeTimestamp ?? Number.NaN
      if (timeSearch === 'exact') assert.equal(atTime, message.storeTimestamp)
      else assert.ok(atTime <= message.storeTimestamp, `${atTime} is after ${message.storeTimestamp}`)
    }
    return new Map(all.map(message => [place(message), whole(message)]))
  }
}

const skip = skipWithout('java')
/** How both brokers end. */
const endings = [
  { title: 'clean stops', signal: 'SIGTERM', further: {} },
  { title: 'SIGKILL', signal: 'SIGKILL', further: {} },
  // Consumers choose by tags, which then stand in the extended units.
  { title: 'clean stops with extended units', signal: 'SIGTERM', further: { ...extended } },
  { title: 'SIGKILL with extended units', signal: 'SIGKILL', further: { ...extended } },
] as const

for (const version of referenceVersions) {
  describe(`a store of ours under RocketMQ ${version}, and back`, { skip }, () => {
    const stores: string[] = []
    after(() => {
      for (const store of stores) rmSync(store, { recursive: true, force: true })
    })

    for (const { title, signal, further } of endings) {
      const config = { ...geometry, ...further }
      test(`after ${title} everything is consumed and queried there, and what Java adds is read here`, async t => {
        const store = mkdtempSync(join(tmpdir(), 'skua-reverse-'))
        stores.push(store)
        const broker = await freeBrokerPort()
        const nameServer = await freePort()
        const step = async <T>(work: (step: Step) => Promise<T>): Promise<T> => {
          const java = await javaClient('4.9.8')
          try {
            return await work(new Step(java, `127.0.0.1:${nameServer}`))
          } finally {
            await java.kill()
          }
        }
        const clean = signal === 'SIGTERM'
        const sent: Sent[] = []

        let skua = await SkuaProcess.start({ store, broker, nameServer, config })
        let written: Map<string, string>
        try {
          written = await step(async client => {
            sent.push(...(await client.send('ours', oursCount)))
            if (clean) assert.equal((await client.consume(sent)).length, oursCount)
            return client.verify(sent)
          })
          // Nothing may be needed between the last answer and the end.
          if (!clean) await step(async client => sent.push(...(await client.send('last', 20))))
        } finally {
          await skua.stop(signal)
        }
        const segments = readdirSync(join(store, 'commitlog')).length
        assert.ok(segments >= 4, `${segments} segments`)

        const reference = await startReference({
          version,
          ports: { nameServer, broker },
          storeDir: mkdtempSync(join(store, 'home-')),
          conf: { ...config, storePathRootDir: store, storePathCommitLog: join(store, 'commitlog') },
        })
        try {
          const there = await step(async client => {
            const seen = await client.verify(sent, 'early')
            const added = await client.send('java', javaCount)
            sent.push(...added)
            const got = await client.consume(clean ? added : sent)
            // After a clean stop the group goes on where it was with us.
            if (clean) assert.deepEqual([...new Set(got.map(({ tags }) => tags))], ['java'])
            for (const [at, text] of await client.verify(sent, 'early')) seen.set(at, text)
            return seen
          })
          for (const [at, text] of written) assert.equal(there.get(at), text)
          written = there
        } finally {
          await reference.stop(signal)
        }

        skua = await SkuaProcess.start({ store, broker, nameServer, config })
        try {
          await step(async client => {
            assert.deepEqual(await client.verify(sent), written)
            const again = await client.send('again', 20)
            const got = await client.consume(again)
            if (clean) assert.deepEqual([...new Set(got.map(({ tags }) => tags))], ['again'])
            await client.verify([...sent, ...again])
          })
        } finally {
          await skua.stop('SIGTERM')
        }
        t.diagnostic(`${segments} segments of ours, ${readdirSync(join(store, 'commitlog')).length} in the end`)
      })
    }
  })
}
