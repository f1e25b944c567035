import assert from 'node:assert/strict'
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, test } from 'node:test'
import { LogFile, type LogFileLimits } from '../../src/command/log/log-file.ts'

let directory = ''
beforeEach(() => {
  directory = mkdtempSync(join(tmpdir(), 'skua-log-'))
})
afterEach(() => rmSync(directory, { recursive: true, force: true }))

const opened = (limits: LogFileLimits = {}) => new LogFile(join(directory, 'logs', 'broker.log'), limits)
const read = (...path: string[]) => readFileSync(join(directory, 'logs', ...path), 'utf8')

test('lines are appended to what is there, in order', async () => {
  for (const part of [0, 1]) {
    const file = opened()
    for (let i = 0; i < 1000; i++) file.write(`line ${part} ${i}`)
    await file.close()
  }
  const lines = read('broker.log').trimEnd().split('\n')
  assert.equal(lines.length, 2000)
  assert.deepEqual(
    [lines[0], lines[999], lines[1000], lines[1999]],
    ['line 0 0', 'line 0 999', 'line 1 0', 'line 1 999'],
  )
})

test('a file that is full is put away, the oldest goes, and no line is lost between them', async () => {
  const file = opened({ fileBytes: 100, keptFiles: 3 })
  for (let i = 0; i < 60; i++) {
    file.write(`line ${i}`.padEnd(24, '.'))
    await new Promise(resolve => setImmediate(resolve))
  }
  await file.close()
  const kept = readdirSync(join(directory, 'logs', 'otherdays')).sort()
  assert.deepEqual(kept, ['broker.1.log', 'broker.2.log', 'broker.3.log'])
  const all = [...kept.reverse().map(name => read('otherdays', name)), read('broker.log')].join('')
  const numbers = [...all.matchAll(/line (\d+)/g)].map(found => Number(found[1]))
  assert.equal(numbers.at(-1), 59)
  for (const [i, number] of numbers.entries()) assert.equal(number, (numbers[0] as number) + i)
})

test('what the disk does not take in time is left out, and said', async () => {
  const file = opened({ waitingBytes: 100 })
  for (let i = 0; i < 50; i++) file.write(`line ${i}`)
  await file.close()
  const lines = read('broker.log').trimEnd().split('\n')
  const last = lines.at(-1) ?? ''
  assert.match(last, /^\d+ lines are left out/)
  assert.equal(lines.length - 1 + Number.parseInt(last, 10), 50)
})

test('a directory that cannot be made is told', () => {
  writeFileSync(join(directory, 'logs'), 'a file')
  assert.throws(() => opened(), /EEXIST|ENOTDIR/)
})
