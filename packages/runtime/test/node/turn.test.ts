import assert from 'node:assert/strict'
import { test } from 'node:test'
import { NodeTurn } from '../../src/index.ts'

const immediate = () => new Promise(resolve => setImmediate(resolve))

test('what is armed in one turn of the loop runs at its end, once', async () => {
  const turn = new NodeTurn()
  const ran: string[] = []
  const write = turn.join('write', () => ran.push('write'))
  const send = turn.join('send', () => ran.push('send'))
  send.arm()
  write.arm()
  await Promise.resolve()
  write.arm()
  assert.deepEqual(ran, [])
  await immediate()
  assert.deepEqual(ran, ['write', 'send'])
})
