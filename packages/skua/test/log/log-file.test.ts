import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock, SimDisk } from '@skua-mq/runtime'
import { LogFile, type LogFileLimits } from '../../src/command/log/log-file.ts'

function world(limits: LogFileLimits = {}) {
  const clock = new SimClock()
  const disk = new SimDisk(clock)
  const opened = () => new LogFile('/logs/broker.log', disk, limits)
  const read = (path: string) => disk.readFile(`/logs/${path}`).toString()
  return { clock, disk, opened, read }
}

test('lines are appended to what is there, in order', async () => {
  const { clock, opened, read } = world()
  for (const part of [0, 1]) {
    const file = opened()
    for (let i = 0; i < 1000; i++) file.write(`line ${part} ${i}`)
    await clock.until(file.close())
  }
  const lines = read('broker.log').trimEnd().split('\n')
  assert.equal(lines.length, 2000)
  assert.deepEqual(
    [lines[0], lines[999], lines[1000], lines[1999]],
    ['line 0 0', 'line 0 999', 'line 1 0', 'line 1 999'],
  )
})

test('a file that is full is put away, the oldest goes, and no line is lost between them', async () => {
  const { clock, disk, opened, read } = world({ fileBytes: 100, keptFiles: 3 })
  const file = opened()
  for (let i = 0; i < 60; i++) {
    file.write(`line ${i}`.padEnd(24, '.'))
    await clock.advanceAsync(1)
  }
  await clock.until(file.close())
  const kept = [...disk.list('/logs/otherdays')]
  assert.deepEqual(kept, ['broker.1.log', 'broker.2.log', 'broker.3.log'])
  const all = [...kept.reverse().map(name => read(`otherdays/${name}`)), read('broker.log')].join('')
  const numbers = [...all.matchAll(/line (\d+)/g)].map(found => Number(found[1]))
  assert.equal(numbers.at(-1), 59)
  for (const [i, number] of numbers.entries()) assert.equal(number, (numbers[0] as number) + i)
})

test('what a slow disk does not take in time is left out, and said', async () => {
  const { clock, disk, opened, read } = world({ waitingBytes: 100 })
  disk.faults.slow({ on: 'write', ms: 1000 })
  const file = opened()
  for (let i = 0; i < 50; i++) file.write(`line ${i}`)
  await clock.until(file.close())
  const lines = read('broker.log').trimEnd().split('\n')
  const last = lines.at(-1) ?? ''
  assert.match(last, /^\d+ lines are left out/)
  assert.equal(lines.length - 1 + Number.parseInt(last, 10), 50)
})

test('after a disk that was full lines are written again; at the end of the process what waits is written at once', async () => {
  const { clock, disk, opened, read } = world()
  const file = opened()
  const lift = disk.faults.fail({ on: 'write', code: 'ENOSPC' })
  file.write('lost')
  await clock.advanceAsync(10)
  lift()
  file.write('first')
  await clock.advanceAsync(10)
  disk.faults.slow({ on: 'write', ms: 60_000 })
  file.write('under way')
  await clock.advanceAsync(10)
  file.write('waiting')
  disk.faults.clear()
  file.writeRest()
  assert.equal(read('broker.log'), 'first\nunder way\nwaiting\n')
})

test('a directory that cannot be made is told', () => {
  const { disk, opened } = world()
  disk.writeFile('/logs', Buffer.from('a file'))
  assert.throws(() => opened())
})
