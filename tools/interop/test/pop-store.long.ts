// A store with pops in flight moves between a broker of ours and RocketMQ's, in both directions.
import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, describe, test } from 'node:test'
import { setTimeout as sleep } from 'node:timers/promises'
import { PopClient, type PoppedMessage } from '../src/pop-client.ts'
import { freeBrokerPort, freePort } from '../src/reference/free-ports.ts'
import { startReference } from '../src/reference/start.ts'
import { skipWithout } from '../src/toolchain.ts'
import { SkuaProcess } from './skua-process.ts'

const [topic, group] = ['Moved', 'movers']
/** Longer than Java takes to stop, and ours or Java's to start. */
const invisibleMs = 60_000
const geometry = { mappedFileSizeCommitLog: 16 * 1024 * 1024 }
const config = { ...geometry, brokerName: 'broker-a', brokerClusterName: 'DefaultCluster', brokerIP1: '127.0.0.1' }

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
    conf: { ...geometry, storePathRootDir: store, storePathCommitLog: join(store, 'commitlog') },
  })
  return signal => running.stop(signal)
}

async function using<T>({ broker }: Place, work: (client: PopClient) => Promise<T>): Promise<T> {
  const client = new PopClient(`127.0.0.1:${broker}`, topic, group)
  try {
    return await work(client)
  } finally {
    await client.close()
  }
}

const bodiesOf = (popped: readonly PoppedMessage[]): string[] => popped.map(({ body }) => body).sort()

/** Pops 12, settles half of them in every way; returns what must come again. */
async function popAndSettle(client: PopClient): Promise<string[]> {
  for (let n = 0; n < 12; n++) assert.equal(await client.send(`m${n}`, n % 4), 0)
  const popped: PoppedMessage[] = []
  while (popped.length < 12) popped.push(...(await client.pop({ invisibleTime: invisibleMs })).messages)
  const [acked, batch, changed, left] = [popped.slice(0, 4), popped.slice(4, 6), popped.slice(6, 8), popped.slice(8)]
  for (const one of acked) assert.equal(await client.ack(one), 0)
  assert.equal(await client.ackAll(batch), 0)
  for (const one of changed) assert.equal(await client.change(one, invisibleMs + 5000), 0)
  return bodiesOf([...changed, ...left])
}

/** Within the invisible time there is only what is new; then exactly what was not acknowledged, once. */
async function expectRest(client: PopClient, rest: readonly string[]): Promise<void> {
  assert.equal(await client.send('new', 0), 0)
  const got: PoppedMessage[] = []
  for (let n = 0; n < 8; n++) got.push(...(await client.pop({ invisibleTime: invisibleMs })).messages)
  assert.deepEqual(bodiesOf(got), ['new'])
  const end = Date.now() + invisibleMs + 45_000
  while (Date.now() < end) {
    const { messages } = await client.pop({ invisibleTime: invisibleMs })
    for (const one of messages) assert.equal(await client.ack(one), 0)
    got.push(...messages)
    if (messages.length === 0) await sleep(500)
  }
  // The first one is popped, acknowledged by nobody, and comes again.
  assert.deepEqual(bodiesOf(got), [...rest, 'new', 'new'].sort())
}

interface Move {
  readonly title: string
  readonly from: (place: Place) => Promise<Stop>
  readonly to: (place: Place) => Promise<Stop>
  readonly signal: NodeJS.Signals
  readonly savedMs?: number
}

const moves: readonly Move[] = [
  { title: 'ours, killed, to ours', from: skua, to: skua, signal: 'SIGKILL' },
  { title: 'ours to RocketMQ', from: skua, to: java, signal: 'SIGTERM' },
  // Java goes by the offsets of the file alone, which is written every 5 s; ours reads the log, too.
  { title: 'ours, killed, to RocketMQ', from: skua, to: java, signal: 'SIGKILL', savedMs: 8000 },
  { title: 'RocketMQ to ours', from: java, to: skua, signal: 'SIGTERM' },
]

describe('a store with pops in flight moves from', { skip: skipWithout('java'), concurrency: 1 }, () => {
  const stores: string[] = []
  after(() => {
    for (const store of stores) rmSync(store, { recursive: true, force: true })
  })
  for (const { title, from, to, signal, savedMs = 0 } of moves) {
    test(title, async () => {
      const store = mkdtempSync(join(tmpdir(), 'skua-pop-'))
      stores.push(store)
      const place = { store, broker: await freeBrokerPort(), nameServer: await freePort() }
      const stopFirst = await from(place)
      const rest = await using(place, popAndSettle)
        .then(left => sleep(savedMs, left))
        .finally(() => stopFirst(signal))
      const stopSecond = await to(place)
      await using(place, client => expectRest(client, rest)).finally(() => stopSecond('SIGKILL'))
    })
  }
})
