import assert from 'node:assert/strict'
import { test } from 'node:test'
import { group, type Service } from '../src/index.ts'

function parts() {
  const done: string[] = []
  const part = (name: string, fails = false): Service => ({
    name,
    start: async () => {
      if (fails) throw new Error(`${name} fails`)
      done.push(`start ${name}`)
    },
    stop: async () => {
      done.push(`stop ${name}`)
    },
  })
  return { done, part }
}

test('a group starts in order and stops in reverse', async () => {
  const { done, part } = parts()
  const both = group('both', [part('a'), part('b')])
  await both.start()
  await both.stop()
  assert.deepEqual(done, ['start a', 'start b', 'stop b', 'stop a'])
})

test('a start that fails stops what had started, and is told', async () => {
  const { done, part } = parts()
  const all = group('all', [part('a'), part('b'), part('c', true), part('d')])
  await assert.rejects(all.start(), /c fails/)
  assert.deepEqual(done, ['start a', 'start b', 'stop b', 'stop a'])
})
