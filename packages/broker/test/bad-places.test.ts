import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { getBrokerRuntimeInfo, PropertyName } from '@skua-mq/protocol'
import type { BrokerConfig } from '../src/index.ts'
import { type Bad, BadDisk } from './bad-disk.ts'
import { texts } from './pop/popper.ts'

const wheelTopic = 'rmq_sys_wheel_timer'
const retryTopic = '%RETRY%g_T'
const minute = 60_000

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
  for (const [n, body] of ['a', 'bad', 'c', 'd'].entries()) {
    await peer.send('T', body, { properties: each(n) })
    if (n < 2) await disk.apart()
  }
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
  for (let n = 0; n < 4; n++) {
    all.push(...(await popper.pop({ maxMsgNums: 1, queueId: 0, invisibleTime: 30_000 })))
    if (n < 2) await disk.apart()
  }
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
      for (const each of all.slice(1)) {
        await disk.apart()
        assert.equal(await popper.ack(each), 0)
      }
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
      await disk.apart()
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
      for (const body of ['a', 'bad', 'c', 'd']) {
        await disk.apart()
        await disk.half(peer, body)
      }
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
      for (const end of ends.slice(0, 3)) {
        await disk.apart()
        await end()
      }
    },
    bad: { topic: 'RMQ_SYS_TRANS_OP_HALF_TOPIC', offset: 1 },
    moved: asked,
    comes: ['bad', 'd'],
  },
]

/** How the disk does not give it: a place alone, or, of the log, the file that has no other of them. */
const ways = [
  { what: 'a place that the disk does not give', on: 'read', code: 'EIO', isFile: false },
  { what: 'a file of the log that somebody removed', on: 'open', code: 'ENOENT', isFile: true },
] as const
const fileBytes = 64 * 1024

for (const { what, on, code, isFile } of ways)
  describe(`${what} keeps nothing behind it from`, () => {
    const wanted = readers.filter(({ bad }) => !isFile || !('path' in bad))
    for (const { name, config = {}, next = {}, prepare, bad, isLate = false, moved, comes, healed } of wanted)
      test(name, async () => {
        const disk = new BadDisk(5, { ...config, ...(isFile ? { mappedFileSizeCommitLog: fileBytes } : {}) })
        disk.isApart = isFile
        await disk.boot()
        await prepare(disk)
        await disk.apart()
        await disk.clock.advanceAsync(2000)
        const { path, place } = disk.placeOf(bad)
        if (isLate) await disk.restart(next)
        const begun = disk.events.length
        const file = `commitlog/${String(place[0] - (place[0] % fileBytes)).padStart(20, '0')}`
        const lift = disk.disk.faults.fail(isFile ? { on, code, path: file } : { on, code, path, place })
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
