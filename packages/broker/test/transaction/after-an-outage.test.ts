import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BadDisk } from '../bad-disk.ts'

const halfTopic = 'RMQ_SYS_TRANS_HALF_TOPIC'
const minute = 60_000
const config = { transactionTimeOut: 1000, transactionCheckInterval: 5000, transactionCheckMax: 1000 }

/** Halves of which the second lies where the disk gives nothing; the first and the last are decided. */
async function withBadHalf() {
  const disk = new BadDisk(7, config)
  await disk.boot()
  const peer = disk.peer()
  const ends = []
  for (const body of ['committed', 'bad', 'open', 'also committed']) ends.push(await disk.half(peer, body))
  await ends[0]!()
  await disk.clock.advanceAsync(2000)
  const placeOf = (offset: number) => disk.placeOf({ topic: halfTopic, offset })
  const { path, place } = placeOf(1)
  const all = [placeOf(0).place[0], placeOf(3).place[1]] as const
  return { disk, end: ends[3]!, path, place, all }
}

/** All that was asked about in a minute after a restart on a disk that is whole again. */
async function askedAfterRestart(disk: BadDisk): Promise<string[]> {
  await disk.restart()
  disk.asked.clear()
  await disk.peer().produce('tx')
  await disk.clock.advanceAsync(minute)
  return [...disk.asked].sort()
}

describe('a half message that the disk does not give', () => {
  test('is asked about after a restart, and what was decided meanwhile is not asked about nor delivered again', async () => {
    const { disk, end, path, place } = await withBadHalf()
    const lift = disk.disk.faults.fail({ on: 'read', code: 'EIO', path, place })
    // Before, it is read from memory.
    await disk.restart()
    await disk.peer().produce('tx')
    await disk.clock.advanceAsync(minute)
    assert.deepEqual([...disk.asked].sort(), ['also committed', 'open'])
    await end()
    await disk.clock.advanceAsync(minute)
    lift()
    assert.deepEqual(await askedAfterRestart(disk), ['bad', 'open'])
    assert.deepEqual(disk.bodies().sort(), ['also committed', 'committed'])
    await disk.settle(disk.broker.stop())
  })

  test('nor any other, for however long, is asked about after the restart that mends the disk', async () => {
    const { disk, path, all } = await withBadHalf()
    const lift = disk.disk.faults.fail({ on: 'read', code: 'EIO', path, place: all })
    await disk.restart()
    await disk.peer().produce('tx')
    await disk.clock.advanceAsync(40 * minute)
    lift()
    assert.deepEqual(await askedAfterRestart(disk), ['also committed', 'bad', 'open'])
    await disk.settle(disk.broker.stop())
  })

  test('keeps a start from beginning behind it for ten minutes, where others can be read', async () => {
    const { disk, path, place } = await withBadHalf()
    const lift = disk.disk.faults.fail({ on: 'read', code: 'EIO', path, place })
    await disk.restart()
    const saved = () => {
      const path = '/store/config/consumerOffset.json'
      const text = disk.disk.stat(path) === undefined ? '' : String(disk.disk.readFile(path))
      return Number(/RMQ_SYS_TRANS_HALF_TOPIC@CID_RMQ_SYS_TRANS":\{"?0"?:(\d+)/.exec(text)?.[1] ?? 0)
    }
    for (let n = 0; n < 12; n++) {
      await disk.peer().produce('tx')
      await disk.clock.advanceAsync(minute)
      if (n === 8) assert.ok(saved() <= 1, `${saved()} after nine minutes`)
    }
    lift()
    await disk.settle(disk.broker.stop())
    assert.ok(saved() > 1, `${saved()}`)
  })
})
