import assert from 'node:assert/strict'
import test from 'node:test'
import { drain, message, open, put, smallConfig, world } from '../harness.ts'

const hourMs = 3_600_000

/** A queue of `count` messages, of which the log has lost some amid it, made again from the log. */
async function made(count: number, lost: readonly number[]) {
  const at = world()
  const config = { ...smallConfig, fileReservedTime: 1 }
  const first = await open(at, config)
  const places: number[] = []
  const body = 'x'.repeat(200)
  for (let i = 0; i < count; i++) {
    // Each has a time of its own.
    at.clock.step(10)
    places.push(put(first, message('T', `${i} ${body}`))[0]!.physicalOffset)
    // The first file is an hour older than the rest.
    if (i === 60) await at.clock.advanceAsync(2 * hourMs)
  }
  await at.clock.until(first.store.stop())
  for (const each of lost) {
    const base = places[each]! - (places[each]! % config.mappedFileSizeCommitLog)
    const file = at.disk.open(`/store/commitlog/${String(base).padStart(20, '0')}`, 'write')
    file.writeSync(Buffer.alloc(100, 1), 0, 100, places[each]! - base)
    file.closeSync()
  }
  for (const name of at.disk.list('/store/consumequeue/T/0')) at.disk.remove(`/store/consumequeue/T/0/${name}`)
  return { at, config, places, second: await open(at, config) }
}

/** The same after retention took the first file. */
async function afterRetention(count: number, lost: readonly number[]) {
  const { at, config, places, second } = await made(count, lost)
  second.store.deleteExpired()
  await at.clock.advanceAsync(2 * 60_000)
  assert.equal(second.store.minPhysicalOffset, config.mappedFileSizeCommitLog)
  const got = (await drain(second, 'T')).map(each => Number(each.split(' ')[0]))
  const expected = [...places.keys()].filter(
    each => places[each]! >= config.mappedFileSizeCommitLog && !lost.includes(each),
  )
  await at.clock.until(second.store.stop())
  return { got, expected }
}

test('places of messages that the log has lost hide none of those before them from retention', async () => {
  // The end of a queue's file, places at which a search looks, and many in a row.
  for (const lost of [
    [59],
    [79],
    [80],
    [99, 100],
    [109, 110],
    [119, 120, 121],
    [...Array(40).keys()].map(at => 80 + at),
  ]) {
    const { got, expected } = await afterRetention(160, lost)
    assert.deepEqual(got, expected, `${lost}`)
  }
})

test('a search by time passes them by', async () => {
  const lost = [...Array(30).keys()].map(at => 40 + at)
  const { at, places, second } = await made(120, lost)
  for (let wanted = 0; wanted < places.length; wanted++) {
    if (lost.includes(wanted)) continue
    const atMs = await second.store.storedAt('T', 0, wanted)
    assert.equal(await second.store.offsetByTime('T', 0, atMs), wanted)
  }
  assert.equal(await second.store.storedAt('T', 0, 50), -1)
  await at.clock.until(second.store.stop())
})
