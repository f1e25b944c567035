import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MemoryDisk, SimClock } from '@skua-mq/runtime'
import { maxChangeFileBytes } from '../src/change-file.ts'
import { ChangeLog, maxChanges } from '../src/change-log.ts'
import { dash, get, post } from './dash.ts'

const path = '/kept/changes.jsonl'
const by = { user: { name: 'ada', role: 'admin' } as const, from: '127.0.0.1', cluster: 'c' }
const actionsOf = (log: ChangeLog) => log.all().map(({ action }) => action)

test('what was changed is there after a restart, and a line that a crash cut takes nothing with it', () => {
  const clock = new SimClock()
  const disk = new MemoryDisk({ clock })
  const first = new ChangeLog({ clock, disk }, path)
  first.add(by, { action: 'topic/put', params: { topic: 'A' }, problem: null })
  first.add(by, { action: 'topic/delete', params: { topic: 'A' }, problem: 'refused' })
  const second = new ChangeLog({ clock, disk }, path)
  assert.deepEqual(second.all(), first.all())
  const whole = disk.readFile(path)
  disk.writeFile(path, whole.subarray(0, whole.length - 9))
  const third = new ChangeLog({ clock, disk }, path)
  assert.deepEqual(actionsOf(third), ['topic/put'])
  third.add(by, { action: 'group/put', params: {}, problem: null })
  assert.deepEqual(actionsOf(new ChangeLog({ clock, disk }, path)), ['topic/put', 'group/put'])
})

test('the file is bounded: the older half goes, the last ones stay', () => {
  const clock = new SimClock()
  const disk = new MemoryDisk({ clock })
  const log = new ChangeLog({ clock, disk }, path)
  for (let i = 0; i < 1500; i++) log.add(by, { action: `a${i}`, params: { text: 'x'.repeat(1_900) }, problem: null })
  const sizes = disk.list('/kept').map(name => disk.stat(`/kept/${name}`)!.size)
  assert.equal(sizes.length, 2)
  assert.ok(
    sizes.every(size => size <= maxChangeFileBytes),
    String(sizes),
  )
  const actions = actionsOf(new ChangeLog({ clock, disk }, path))
  assert.deepEqual([actions.length, actions.at(-1), actions[0]], [maxChanges, 'a1499', `a${1500 - maxChanges}`])
})

test('a disk that is full is told of on the page, and the change itself is done', () => {
  const clock = new SimClock()
  const disk = new MemoryDisk({ clock, capacityBytes: 300 })
  const log = new ChangeLog({ clock, disk }, path)
  for (let i = 0; i < 3; i++) log.add(by, { action: `a${i}`, params: { text: 'x'.repeat(100) }, problem: null })
  assert.match(String(log.problem), /ENOSPC/)
  assert.equal(log.all().length, 3)
})

test('the API tells what was changed before its start, and whether it is kept', async () => {
  const { nodeRuntime } = await import('@skua-mq/runtime')
  const runtime = { ...nodeRuntime(), disk: new MemoryDisk() }
  const nowhere = { namesrvAddr: '127.0.0.1:1', runtime, page: new Map([['index.html', Buffer.from('')]]) }
  const change = { topic: 'Made', clusterName: 'c', readQueueNums: 1, writeQueueNums: 1, perm: 6 }
  const first = await dash({ ...nowhere, clusters: undefined, changesFile: path })
  await post(first, '/api/topic/put', change)
  await first.stop()
  const second = await dash({ ...nowhere, clusters: undefined, changesFile: path })
  const kept = (await get(second, '/api/changes')).body as unknown as {
    rows: { action: string }[]
    file: string | null
  }
  await second.stop()
  assert.deepEqual([kept.rows.map(({ action }) => action), kept.file], [['topic/put'], path])
  const memory = await dash({ ...nowhere, clusters: undefined })
  const none = (await get(memory, '/api/changes')).body as unknown as { rows: []; file: null }
  await memory.stop()
  assert.deepEqual([none.rows, none.file], [[], null])
})
