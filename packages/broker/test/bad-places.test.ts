import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import {
  checkTransactionState,
  endTransaction,
  getBrokerRuntimeInfo,
  PropertyName,
  readRecord,
} from '@skua-mq/protocol'
import { noReply, RemotingClient, route } from '@skua-mq/remoting'
import { simRuntime } from '@skua-mq/runtime'
import type { Store } from '@skua-mq/store'
import type { BrokerConfig } from '../src/index.ts'
import { PopMachine } from './pop/pop-machine.ts'
import { Popper, texts } from './pop/popper.ts'
import { Peer } from './world.ts'

const wheelTopic = 'rmq_sys_wheel_timer'
const retryTopic = '%RETRY%g_T'
const minute = 60_000

/** A broker on a disk with a bad place, and what came of it. */
class BadDisk extends PopMachine {
  readonly asked = new Set<string>()
  private clients = 0

  get store(): Store {
    return (this.broker as unknown as { life: { store: Store } }).life.store
  }

  peer(): Peer {
    const { clock, network } = this
    const host = `peer-${++this.clients}`
    const routes = [
      route(checkTransactionState, (_, { body }) => {
        this.asked.add(Buffer.from(readRecord(body)!.message.body).toString())
        return noReply
      }),
    ]
    return new Peer(this, new RemotingClient({ ...simRuntime({ seed: 2, host, clock, network }), routes }), host)
  }

  popper(): Popper {
    return new Popper(this.peer())
  }

  /** Sends a transactional message; returns how to end it. */
  async half(peer: Peer, body: string) {
    const properties = { TRAN_MSG: 'true', PGROUP: 'tx', UNIQ_KEY: body }
    const { header } = await peer.send('T', body, { sysFlag: 4, properties })
    return () =>
      peer.ask(endTransaction, {
        producerGroup: 'tx',
        tranStateTableOffset: header!.queueOffset,
        commitLogOffset: Number.parseInt(header!.msgId.slice(16), 16),
        commitOrRollback: 8,
        fromTransactionCheck: false,
        msgId: body,
      })
  }

  /** What the disk is not going to give: a record of the log, or bytes of another file. */
  placeOf(what: Bad): { path: string; place: readonly [number, number] } {
    if ('path' in what) return what
    const entry = { physicalOffset: 0, size: 0, tagsCode: 0 }
    assert.equal(this.store.queue(what.topic, what.queueId ?? 0)?.entries(what.offset, [entry]), 1, what.topic)
    return { path: 'commitlog', place: [entry.physicalOffset, entry.physicalOffset + entry.size] }
  }

  bodies(topic = 'T', queueId = 0): string[] {
    const found: string[] = []
    const entry = { physicalOffset: 0, size: 0, tagsCode: 0 }
    for (let offset = 0; offset < this.store.maxOffset(topic, queueId); offset++) {
      this.store.queue(topic, queueId)!.entries(offset, [entry])
      found.push(Buffer.from(readRecord(this.store.readRecordSync(entry.physicalOffset)!)!.message.body).toString())
    }
    return found
  }

  /** A file that is made again lies elsewhere on the disk. */
  async madeAgain(lift: () => void): Promise<void> {
    const again = () => this.events.some(event => event.name === 'timer files are made again from the timer topic')
    for (let second = 0; second < 180 && !again(); second++) await this.clock.advanceAsync(1000)
    assert.ok(again(), 'they are not made again')
    lift()
  }

  async restart(changes: Partial<BrokerConfig> = {}): Promise<void> {
    await this.settle(this.broker.stop())
    this.kill()
    this.change(changes)
    await this.boot()
  }
}

type Bad =
  | { readonly topic: string; readonly queueId?: number; readonly offset: number }
  | { readonly path: string; readonly place: readonly [number, number] }

interface Reader {
  readonly name: string
  readonly config?: Partial<BrokerConfig>
  /** From the start on at which the place is bad. */
  readonly next?: Partial<BrokerConfig>
  readonly prepare: (disk: BadDisk) => Promise<unknown>
  readonly bad: Bad
  /** The place goes bad behind the start. */
  readonly isLate?: true
  /** What comes while the place is bad, and what when it can be read again. */
  readonly moved: (disk: BadDisk) => Promise<readonly string[]> | readonly string[]
  readonly comes: readonly string[]
  readonly healed?: readonly string[]
}

const send = (each: (n: number) => Record<string, string>) => async (disk: BadDisk) => {
  const peer = disk.peer()
  for (const [n, body] of ['a', 'bad', 'c', 'd'].entries()) await peer.send('T', body, { properties: each(n) })
}
const timed = (disk: BadDisk, inMs = 30_000) => {
  const at = disk.clock.now() + inMs
  return send(n => ({ [PropertyName.timerDeliverMs]: String(at + n * 400) }))(disk)
}
const popped = async (disk: BadDisk) => texts(await disk.popper().pop({ invisibleTime: 20 * minute }))
/** Each message in a pop of its own. */
const popOneByOne = async (disk: BadDisk) => {
  await send(() => ({}))(disk)
  const popper = disk.popper()
  const all = []
  for (let n = 0; n < 4; n++) all.push(...(await popper.pop({ maxMsgNums: 1, queueId: 0, invisibleTime: 30_000 })))
  assert.equal(all.length, 4)
  return { popper, all }
}
const asked = (disk: BadDisk) => [...disk.asked]
const transactions = { transactionTimeOut: 1000, transactionCheckInterval: 5000, transactionCheckMax: 100 }

const readers: Reader[] = [
  {
    name: 'delivery of a delay level',
    prepare: send(() => ({ DELAY: '4' })),
    bad: { topic: 'SCHEDULE_TOPIC_XXXX', queueId: 3, offset: 1 },
    moved: disk => disk.bodies(),
    comes: ['a', 'c', 'd'],
    healed: ['a', 'c', 'd', 'bad'],
  },
  {
    name: 'delivery of timers',
    prepare: timed,
    bad: { topic: wheelTopic, offset: 1 },
    moved: disk => disk.bodies(),
    comes: ['a', 'c', 'd'],
  },
  {
    name: 'intake of timers',
    config: { timerStopEnqueue: true },
    next: { timerStopEnqueue: false },
    prepare: timed,
    bad: { topic: wheelTopic, offset: 1 },
    moved: disk => disk.bodies(),
    comes: ['a', 'c', 'd'],
  },
  {
    name: 'the timer log',
    prepare: timed,
    bad: { path: 'timerlog', place: [52, 104] },
    moved: disk => disk.bodies(),
    comes: ['a', 'bad', 'c', 'd'],
  },
  {
    name: 'the timer log that goes bad later',
    prepare: timed,
    bad: { path: 'timerlog', place: [52, 104] },
    isLate: true,
    moved: disk => disk.bodies(),
    comes: ['a', 'bad', 'c', 'd'],
  },
  {
    name: 'the timer wheel that goes bad later',
    // On another page than what is in use.
    prepare: disk => timed(disk, 140_000),
    bad: { path: 'timerwheel', place: [0, 2 ** 30] },
    isLate: true,
    moved: disk => disk.bodies(),
    comes: ['a', 'bad', 'c', 'd'],
  },
  {
    name: 'the timer wheel',
    prepare: timed,
    bad: { path: 'timerwheel', place: [0, 2 ** 30] },
    moved: disk => disk.bodies(),
    comes: ['a', 'bad', 'c', 'd'],
  },
  {
    name: 'check points of pops at a start',
    prepare: popOneByOne,
    bad: { topic: wheelTopic, offset: 1 },
    moved: popped,
    comes: ['a', 'c', 'd'],
  },
  {
    name: 'acknowledgements at a start',
    prepare: async disk => {
      const { popper, all } = await popOneByOne(disk)
      for (const each of all.slice(1)) assert.equal(await popper.ack(each), 0)
    },
    bad: { topic: wheelTopic, offset: 4 },
    moved: popped,
    comes: ['a', 'bad'],
  },
  {
    name: 'messages that were popped and come again',
    prepare: popOneByOne,
    bad: { topic: 'T', offset: 1 },
    moved: popped,
    comes: ['a', 'c', 'd'],
    healed: ['bad'],
  },
  {
    name: 'the last copy of a retry topic at a start',
    prepare: async disk => {
      const { popper } = await popOneByOne(disk)
      await disk.clock.advanceAsync(40_000)
      await popper.peer.send('T', 'e', { queueId: 0 })
      await popper.pop({ queueId: 0, invisibleTime: 30_000 })
      await popper.peer.send(retryTopic, 'foreign')
    },
    bad: { topic: retryTopic, offset: 4 },
    moved: disk => [`${disk.store.maxOffset(retryTopic, 0)}`],
    comes: ['10'],
  },
  {
    name: 'figures, for which slaves ask before they take tables',
    prepare: send(() => ({})),
    bad: { topic: 'T', offset: 0 },
    moved: async disk => [`${(await disk.peer().ask(getBrokerRuntimeInfo, {})).code}`],
    comes: ['0'],
  },
  {
    name: 'half messages',
    config: transactions,
    prepare: async disk => {
      const peer = disk.peer()
      for (const body of ['a', 'bad', 'c', 'd']) await disk.half(peer, body)
    },
    bad: { topic: 'RMQ_SYS_TRANS_HALF_TOPIC', offset: 1 },
    moved: asked,
    comes: ['a', 'c', 'd'],
    healed: ['a', 'c', 'd', 'bad'],
  },
  {
    name: 'verdicts',
    config: transactions,
    prepare: async disk => {
      const peer = disk.peer()
      const ends = []
      for (const body of ['a', 'bad', 'c', 'd']) ends.push(await disk.half(peer, body))
      for (const end of ends.slice(0, 3)) await end()
    },
    bad: { topic: 'RMQ_SYS_TRANS_OP_HALF_TOPIC', offset: 1 },
    moved: asked,
    comes: ['bad', 'd'],
  },
]

describe('a place that the disk does not give keeps nothing behind it from', () => {
  for (const { name, config = {}, next = {}, prepare, bad, isLate = false, moved, comes, healed } of readers)
    test(name, async () => {
      const disk = new BadDisk(5, config)
      await disk.boot()
      await prepare(disk)
      await disk.clock.advanceAsync(2000)
      const { path, place } = disk.placeOf(bad)
      if (isLate) await disk.restart(next)
      const begun = disk.events.length
      const lift = disk.disk.faults.fail({ on: 'read', code: 'EIO', path, place })
      if (!isLate) await disk.restart(next)
      if (path !== 'commitlog') await disk.madeAgain(lift)
      await disk.peer().produce('tx')
      await disk.clock.advanceAsync(2 * minute)
      // Clients that are away for long are forgotten.
      await disk.peer().produce('tx')
      await disk.clock.advanceAsync(minute)
      assert.deepEqual([...(await moved(disk))].sort(), [...comes].sort())
      const told = disk.events.slice(begun).filter(({ level }) => level === 'warn' || level === 'error')
      const counts = new Map<string, number>()
      for (const { name } of told) counts.set(name, (counts.get(name) ?? 0) + 1)
      for (const [event, count] of counts) assert.ok(count <= 2, `"${event}" is told ${count} times`)
      lift()
      if (healed === undefined) return
      await disk.clock.advanceAsync(1.5 * minute)
      assert.deepEqual([...(await moved(disk))].sort(), [...healed].sort())
      await disk.settle(disk.broker.stop())
    })
})
