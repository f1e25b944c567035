import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { message, open, put, smallConfig, type World, world } from './harness.ts'

const count = 360
const { maxHashSlotNum } = smallConfig as unknown as { maxHashSlotNum: number }
const slotsAt = 40
const entriesAt = slotsAt + 4 * maxHashSlotNum

const noise = (length: number) => Buffer.from(Array.from({ length }, (_, n) => (n * 7919 + (n >> 3) * 31 + 117) % 251))

const places: Record<string, [at: number, length: number]> = {
  'the header': [0, 40],
  'some slots': [slotsAt + 8, 64],
  'an entry': [entriesAt + 20 * 3, 20],
  'some entries': [entriesAt + 20 * 2, 100],
  'the offset in an entry': [entriesAt + 20 * 4 + 4, 8],
  all: [0, entriesAt + 20 * 100],
}
const fills: Record<string, (length: number) => Buffer> = { zeros: length => Buffer.alloc(length), noise }
const files: Record<string, (names: readonly string[]) => string> = {
  first: names => names[0]!,
  middle: names => names[1]!,
  last: names => names.at(-1)!,
}

function damage(at: World, path: string, bytes: Buffer, place: number): boolean {
  const file = at.disk.open(path, 'write')
  const before = Buffer.alloc(bytes.length)
  file.readSync(before, 0, before.length, place)
  file.writeSync(bytes, 0, bytes.length, place)
  file.syncDataSync()
  file.closeSync()
  return !before.equals(bytes)
}

describe('a file of the index that is damaged is filled again from the log, and that is said', () => {
  for (const end of ['a clean stop', 'a kill'])
    for (const [which, choose] of Object.entries(files))
      for (const [what, [place, length]] of Object.entries(places))
        for (const [how, fill] of Object.entries(fills))
          test(`${how} in ${what} of the ${which} one, after ${end}`, async () => {
            const at = world()
            const opened = await open(at)
            for (let i = 0; i < count; i++) {
              put(opened, message('A', `message ${i}`, `KEYS\x01k${i}`))
              if (i % 20 === 0) await at.clock.advanceAsync(700)
            }
            await at.clock.advanceAsync(3000)
            if (end === 'a clean stop') await at.clock.until(opened.store.stop())
            const names = at.disk.list('/store/index')
            assert.ok(names.length >= 3)
            // After a kill slots and header of the one that grows may not be written yet, and are made again from its entries.
            const isMadeAgain = end === 'a kill' && which === 'last' && place < entriesAt
            assert.ok(damage(at, `/store/index/${choose(names)}`, fill(length), place) || isMadeAgain)
            const said: string[] = []
            at.events.subscribe(({ name }) => said.push(name))
            const { store } = await open(at)
            const query = { topic: 'A', maxCount: 9, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
            for (let i = 0; i < count; i++)
              assert.equal((await store.query({ ...query, key: `k${i}` })).physicalOffsets.length, 1, `key k${i}`)
            if (!isMadeAgain) assert.ok(said.includes('index file discarded'))
            await at.clock.until(store.stop())
          })
})

test('a message whose keys lie in two files of the index is found by all of them when the second one is lost after a clean stop', async () => {
  const at = world()
  const opened = await open(at)
  // Files have 99 entries, and each message has two.
  for (let i = 0; i < 120; i++) put(opened, message('A', `message ${i}`, `KEYS\x01k${i} l${i}`))
  await at.clock.advanceAsync(3000)
  await at.clock.until(opened.store.stop())
  at.disk.remove(`/store/index/${at.disk.list('/store/index')[1]}`)
  const { store } = await open(at)
  const query = { topic: 'A', maxCount: 9, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
  for (let i = 0; i < 120; i++)
    for (const key of [`k${i}`, `l${i}`])
      assert.equal((await store.query({ ...query, key })).physicalOffsets.length, 1, key)
})

test('keys of messages that came after the last sync are found when the mark of a kill is gone', async () => {
  const at = world()
  const opened = await open(at)
  for (let i = 0; i < 50; i++) put(opened, message('A', `message ${i}`, `KEYS\x01k${i}`))
  // All is synced, with slots and header; the rest is written only.
  await at.clock.advanceAsync(70_000)
  for (let i = 50; i < 80; i++) put(opened, message('A', `message ${i}`, `KEYS\x01k${i}`))
  await at.clock.advanceAsync(3000)
  at.disk.remove('/store/abort')
  const { store } = await open(at)
  const query = { topic: 'A', maxCount: 9, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
  for (let i = 0; i < 80; i++)
    assert.equal((await store.query({ ...query, key: `k${i}` })).physicalOffsets.length, 1, `key k${i}`)
})
