// After a crash our note about the index holds only as long as no other broker has changed the index files since.
import assert from 'node:assert/strict'
import { test } from 'node:test'
import { message, type Opened, open, put, smallConfig, type World, world } from './harness.ts'

const count = 260

/** Keys by which a message is not found. */
async function lostKeys({ store }: Opened): Promise<string[]> {
  const lost: string[] = []
  for (let i = 0; i < count; i++) {
    const query = { topic: 'T', key: `k${i}`, maxCount: 64, beginMs: 0, endMs: Number.MAX_SAFE_INTEGER }
    if ((await store.query(query)).physicalOffsets.length === 0) lost.push(query.key)
  }
  return lost
}

/** A store of three index files that was killed; its files, oldest first. */
async function killed(): Promise<{ at: World; files: string[] }> {
  const at = world()
  const life = { alive: true }
  const opened = await open(at, smallConfig, { disk: at.disk.forProcess(life) })
  for (let i = 0; i < count; i++) {
    put(opened, message('T', `m${i}`, `KEYS\x01k${i}`))
    await at.clock.advanceAsync(10)
  }
  await at.clock.advanceAsync(2000)
  life.alive = false
  const files = at.disk.list('/store/index').map(name => `/store/index/${name}`)
  assert.equal(files.length, 3)
  return { at, files }
}

test('a file that another broker deleted is noticed, and its keys are indexed again', async () => {
  for (const which of [0, 1, 2]) {
    const { at, files } = await killed()
    at.disk.remove(files[which]!)
    const again = await open(at)
    assert.deepEqual(await lostKeys(again), [], `file ${which}`)
    await at.clock.until(again.store.stop())
  }
})

test('a newest file that another broker wrote anew under the same name is noticed', async () => {
  const { at, files } = await killed()
  const bytes = Buffer.from(at.disk.readFile(files[2]!)!)
  const entries = 40 + smallConfig.maxHashSlotNum * 4
  // As many entries, all of the first message.
  const first = Buffer.from(bytes.subarray(entries + 20, entries + 40))
  const used = count - 2 * (smallConfig.maxIndexNum - 1) + 1
  for (let entry = 2; entry < used; entry++) first.copy(bytes, entries + entry * 20)
  at.disk.writeFile(files[2]!, bytes)
  const again = await open(at)
  assert.deepEqual(await lostKeys(again), [])
  await at.clock.until(again.store.stop())
})
