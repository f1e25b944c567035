import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Socket } from '@skua-mq/runtime'
import { Outbox } from '../src/outbox.ts'

/** A socket whose kernel takes nothing until it is told to. */
function stuckSocket() {
  const written: Buffer[] = []
  const socket = { unsentBytes: 1, write: (parts: readonly Uint8Array[]) => written.push(Buffer.concat(parts)) }
  return { written, socket: socket as unknown as Socket & { unsentBytes: number } }
}

test('small answers that wait take no more than their bytes, and leave in few writes, in their order', () => {
  const { socket, written } = stuckSocket()
  const outbox = new Outbox(socket)
  const expected: Buffer[] = []
  let isReleased = false
  for (let i = 0; i < 3000; i++) {
    const answer = Buffer.from(`answer ${i};`.padEnd(100, '.'))
    expected.push(answer)
    // As a channel's buffer: far larger than what is written into it in one turn.
    const buffer = Buffer.alloc(2048)
    buffer.set(answer)
    outbox.add([buffer.subarray(0, answer.length)], [], answer.length)
    // What waits must not keep it.
    buffer.fill(0)
    if (i !== 1000) continue
    expected.push(Buffer.from('body'))
    outbox.add([Buffer.from('body')], [() => (isReleased = true)], 4)
  }
  assert.equal(outbox.unsentBytes, 1 + 3000 * 100 + 4)
  socket.unsentBytes = 0
  outbox.drained()
  assert.equal(outbox.unsentBytes, 0)
  assert.ok(isReleased)
  assert.deepEqual(Buffer.concat(written), Buffer.concat(expected))
  assert.ok(written.length < 20, `${written.length} writes`)
})
