import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { OffsetMove } from '../../src/offset/offset-table.ts'
import { historyFile, lineOf } from '../../src/offset-history/history-file.ts'
import {
  historyIntervalMs,
  maxHistoryBytes,
  maxMoves,
  maxMovesOfGroup,
  OffsetHistory,
} from '../../src/offset-history/offset-history.ts'
import { machine } from '../harness.ts'

const path = '/store/config/skua.offsetHistory.jsonl'
const all = { limit: Number.MAX_SAFE_INTEGER }

function opened(on = machine()) {
  const history = new OffsetHistory({ clock: on.clock, file: on.file(path, historyFile) })
  history.load()
  history.start()
  return { on, history }
}

const moved = (changes: Partial<OffsetMove> = {}): OffsetMove => ({
  ...{ atMs: 1, group: 'g', topic: 'T', queueId: 0, from: 9, to: 3, who: '10.0.0.9:1', request: 'R' },
  ...changes,
})

test('moves are kept over a stop, and written by themselves without one', async () => {
  const { on, history } = opened()
  const moves = [moved(), moved({ from: undefined }), moved({ to: undefined, request: undefined, topic: 'U' })]
  for (const move of moves) history.add(move)
  await on.clock.advanceAsync(historyIntervalMs + 100)
  assert.equal(on.disk.readFile(path).toString(), moves.map(lineOf).join(''))
  assert.deepEqual(opened(on).history.of('g', all), moves)
  history.add(moved({ queueId: 7 }))
  history.stop()
  assert.deepEqual(opened(on).history.of('g', all), [...moves, moved({ queueId: 7 })])
  assert.deepEqual(history.of('h', all), [])
})

test('of a topic, and the last so many', () => {
  const { history } = opened()
  for (let queueId = 0; queueId < 5; queueId++) history.add(moved({ queueId, topic: queueId === 2 ? 'U' : 'T' }))
  const ids = (topic: string | undefined, limit: number) =>
    history.of('g', { topic, limit }).map(({ queueId }) => queueId)
  assert.deepEqual(ids('T', 2), [3, 4])
  assert.deepEqual(ids('U', 10), [2])
  assert.deepEqual(ids('', 2), [3, 4])
  assert.deepEqual([ids(undefined, 0), ids(undefined, -5)], [[], []])
})

test('a group that is moved all the time forgets its own moves first, then those of groups that were moved long ago', () => {
  const { history } = opened()
  history.add(moved({ group: 'quiet' }))
  for (let queueId = 0; queueId < maxMovesOfGroup + 3; queueId++) history.add(moved({ group: 'loud', queueId }))
  const loud = history.of('loud', all)
  assert.deepEqual([loud.length, loud[0]!.queueId], [maxMovesOfGroup, 3])
  assert.equal(history.of('quiet', all).length, 1)
  for (let i = 0; i < maxMoves; i++) history.add(moved({ group: `g${i}` }))
  assert.deepEqual([history.of('quiet', all), history.of('loud', all)], [[], []])
  assert.equal(history.of('g0', all).length, 1)
  history.add(moved({ group: 'one more' }))
  assert.deepEqual(history.of('g0', all), [])
})

test('the file has at most so many bytes', () => {
  const { on, history } = opened()
  const who = 'w'.repeat(1000)
  for (let i = 0; i < 2 * (maxHistoryBytes / 1000); i++) history.add(moved({ group: `g${i}`, who }))
  history.stop()
  const { length } = on.disk.readFile(path)
  assert.ok(length <= maxHistoryBytes && length > maxHistoryBytes - 2000, `${length} bytes`)
})

test('lines that do not read are left out, and no start is refused for them', () => {
  const { on, history } = opened()
  history.add(moved())
  history.stop()
  const broken = ['{"atMs":1', 'null', '{}', '{"atMs":"x","group":"g"}', '[]'].join('\n')
  on.disk.writeFile(path, Buffer.from(`${broken}\n${lineOf(moved({ queueId: 4 }))}`))
  assert.deepEqual(
    opened(on)
      .history.of('g', all)
      .map(({ queueId }) => queueId),
    [4],
  )
})

test('what is moved while the file is written is written with the next', async () => {
  const { on, history } = opened()
  history.add(moved())
  on.disk.faults.slow({ on: 'sync', ms: 500, path: 'skua.offsetHistory' })
  await on.clock.advanceAsync(historyIntervalMs + 100)
  history.add(moved({ queueId: 7 }))
  await on.clock.advanceAsync(2 * historyIntervalMs + 1000)
  assert.equal(on.disk.readFile(path).toString(), [moved(), moved({ queueId: 7 })].map(lineOf).join(''))
  history.stop()
})

test('a file of which some does not read keeps what does, where there is no former one', () => {
  const on = machine()
  on.disk.makeDirectory('/store/config')
  on.disk.writeFile(path, Buffer.from(`${lineOf(moved())}${lineOf(moved({ queueId: 7 })).slice(0, 20)}`))
  assert.deepEqual(opened(on).history.of('g', all), [moved()])
  assert.deepEqual(on.names(), ['a configuration file that is derived is damaged, and begun again'])
  on.disk.writeFile(`${path}.bak`, Buffer.from(lineOf(moved({ queueId: 1 }))))
  assert.deepEqual(opened(on).history.of('g', all), [moved({ queueId: 1 })])
})
