// A store with timers in flight moves between a broker of ours and RocketMQ's, in both directions.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { decodeRecords, printProperties } from '@skua-mq/protocol'
import { ask } from '../src/reference/ask.ts'
import { freeBrokerPort, freePort } from '../src/reference/free-ports.ts'
import { startReference } from '../src/reference/start.ts'
import { skipWithout } from '../src/toolchain.ts'
import { SkuaProcess } from './skua-process.ts'

const topic = 'Timed'
const geometry = { mappedFileSizeCommitLog: 16 * 1024 * 1024, mappedFileSizeTimerLog: 4096, timerRollWindowSlot: 60 }
const config = { ...geometry, recallMessageEnable: 'true', brokerName: 'broker-a', brokerIP1: '127.0.0.1' }

interface Place {
  readonly store: string
  readonly broker: number
  readonly nameServer: number
}

type Stop = (signal: NodeJS.Signals) => Promise<void>

async function skua({ store, broker, nameServer }: Place): Promise<Stop> {
  const running = await SkuaProcess.start({ store, broker, nameServer, config })
  return signal => running.stop(signal)
}

async function java({ store, broker, nameServer }: Place): Promise<Stop> {
  const running = await startReference({
    version: '5.3.3',
    ports: { nameServer, broker },
    storeDir: mkdtempSync(join(store, 'home-')),
    conf: { ...config, storePathRootDir: store, storePathCommitLog: join(store, 'commitlog') },
  })
  return signal => running.stop(signal)
}

interface Timed {
  readonly body: string
  readonly at: number
  isRecalled: boolean
}

/** Sends timers which are due after 2 to 110 seconds, and recalls some; a few wait longer than the window. */
async function send(address: string): Promise<Timed[]> {
  const sent: Timed[] = []
  for (let n = 0; n < 200; n++) {
    const one = { body: `m${n}`, at: Date.now() + 2000 + Math.round(n * 540), isRecalled: false }
    const properties = { UNIQ_KEY: `key${n}`, TIMER_DELIVER_MS: String(one.at) }
    const reply = await ask(address, {
      code: 10,
      extFields: {
        ...{
          producerGroup: 'p',
          topic,
          defaultTopic: 'TBW102',
          defaultTopicQueueNums: '1',
          queueId: '0',
          sysFlag: '0',
        },
        ...{ bornTimestamp: String(Date.now()), flag: '0', reconsumeTimes: '0', unitMode: 'false', batch: 'false' },
        properties: printProperties(Object.entries(properties)),
      },
      body: Buffer.from(one.body),
    })
    assert.equal(reply.code, 0, reply.remark)
    sent.push(one)
    if (n % 10 === 7) {
      const recallHandle = reply.extFields['recallHandle']
      assert.ok(recallHandle, 'the reply has a handle')
      const answer = await ask(address, { code: 370, extFields: { topic, recallHandle, producerGroup: 'p' } })
      assert.deepEqual([answer.code, answer.extFields['msgId']], [0, `key${n}`], answer.remark)
      one.isRecalled = true
    }
  }
  return sent
}

interface Got {
  readonly body: string
  readonly storedAtMs: number
}

async function all(address: string): Promise<Got[]> {
  const got: Got[] = []
  for (let offset = 0; ; ) {
    const reply = await ask(address, {
      code: 11,
      extFields: {
        ...{ consumerGroup: 'c', topic, queueId: '0', queueOffset: String(offset), maxMsgNums: '32', sysFlag: '4' },
        ...{ commitOffset: '0', suspendTimeoutMillis: '0', subscription: '*', subVersion: '0', expressionType: 'TAG' },
      },
    })
    if (reply.code !== 0) return got
    for (const message of decodeRecords(Buffer.from(reply.body ?? [])))
      got.push({ body: Buffer.from(message.body).toString(), storedAtMs: message.storeTimestamp })
    offset = Number(reply.extFields['nextBeginOffset'])
  }
}

interface Move {
  readonly title: string
  readonly from: (place: Place) => Promise<Stop>
  readonly to: (place: Place) => Promise<Stop>
  readonly signal: NodeJS.Signals
  /** Most messages that may come twice: those of the moments before. */
  readonly twice: number
}

const moves: readonly Move[] = [
  { title: 'ours to RocketMQ', from: skua, to: java, signal: 'SIGTERM', twice: 2 },
  { title: 'ours, killed, to RocketMQ', from: skua, to: java, signal: 'SIGKILL', twice: 6 },
  { title: 'RocketMQ to ours', from: java, to: skua, signal: 'SIGTERM', twice: 6 },
  { title: 'RocketMQ, killed, to ours', from: java, to: skua, signal: 'SIGKILL', twice: 6 },
]

describe('a store with timers in flight moves from', { skip: skipWithout('java'), concurrency: 1 }, () => {
  const stores: string[] = []
  after(() => {
    for (const store of stores)
      if (process.env['SKUA_KEEP'] === undefined) rmSync(store, { recursive: true, force: true })
  })
  for (const { title, from, to, signal, twice } of moves) {
    test(title, async () => {
      const store = mkdtempSync(join(tmpdir(), 'skua-timers-'))
      stores.push(store)
      const place = { store, broker: await freeBrokerPort(), nameServer: await freePort() }
      const address = `127.0.0.1:${place.broker}`
      const stopFirst = await from(place)
      const sent = await send(address)
        .then(async done => {
          await sleep(8000)
          return done
        })
        .finally(() => stopFirst(signal))
      const stopSecond = await to(place)
      try {
        await sleep(Math.max(...sent.map(({ at }) => at)) + 6000 - Date.now())
        check(sent, await all(address), twice)
      } finally {
        await stopSecond('SIGKILL')
      }
    })
  }
})

function check(sent: readonly Timed[], got: readonly Got[], twice: number): void {
  const came = (body: string) => got.filter(each => each.body === body)
  const [lost, recalled, early, again]: [string[], string[], string[], string[]] = [[], [], [], []]
  for (const { body, at, isRecalled } of sent) {
    const here = came(body)
    if (isRecalled && here.length > 0) recalled.push(body)
    if (!isRecalled && here.length === 0) lost.push(body)
    if (here.length > 1) again.push(body)
    if (here.some(({ storedAtMs }) => storedAtMs < at)) early.push(body)
  }
  assert.deepEqual({ lost, recalled, early }, { lost: [], recalled: [], early: [] })
  assert.ok(again.length <= twice, `twice: ${again}`)
}
