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

/** A socket whose kernel takes what it is given when `drain` is called. */
function slowSocket() {
  const written: Buffer[] = []
  const socket = {
    unsentBytes: 0,
    write(parts: readonly Uint8Array[]) {
      const bytes = Buffer.concat(parts)
      written.push(bytes)
      socket.unsentBytes += bytes.length
    },
  }
  return { written, socket: socket as unknown as Socket & { unsentBytes: number } }
}

test('the socket is given one batch at a time, the next when the first has left, and each is let go behind it', () => {
  const { socket, written } = slowSocket()
  const outbox = new Outbox(socket)
  const released: number[] = []
  for (let n = 0; n < 4; n++) outbox.add([Buffer.alloc(10_000, n)], [() => released.push(n)], 10_000)
  assert.deepEqual([written.length, outbox.unsentBytes, released], [1, 40_000, []])
  for (let n = 0; n < 4; n++) {
    socket.unsentBytes = 0
    outbox.drained()
    assert.deepEqual([released.length, written.length], [n + 1, Math.min(4, n + 2)])
  }
  assert.deepEqual([released, outbox.unsentBytes], [[0, 1, 2, 3], 0])
})

test('what the kernel takes at once is let go at once', () => {
  const { socket } = slowSocket()
  const write = socket.write.bind(socket)
  socket.write = parts => {
    write(parts)
    socket.unsentBytes = 0
  }
  const outbox = new Outbox(socket)
  let released = 0
  for (let n = 0; n < 3; n++) outbox.add([Buffer.alloc(10_000)], [() => released++], 10_000)
  outbox.add([], [() => released++], 0)
  assert.deepEqual([released, outbox.unsentBytes], [4, 0])
})

test('for a slow peer what waits is copied a little at a time, and not twice; what the socket has stays', () => {
  const { socket, written } = slowSocket()
  const outbox = new Outbox(socket)
  const released: number[] = []
  const bodies = Array.from({ length: 5 }, (_, n) => Buffer.alloc(10_000, n))
  bodies.forEach((body, n) => {
    outbox.add([body.subarray(0, 4000), body.subarray(4000)], [() => released.push(n)], 10_000)
  })
  assert.equal(outbox.copyOut(15_000), 20_000)
  assert.deepEqual(released, [1, 2])
  for (const body of bodies.slice(1, 3)) body.fill(255)
  assert.equal(outbox.copyOut(1_000_000), 20_000)
  assert.equal(outbox.copyOut(1_000_000), 0)
  assert.deepEqual(released, [1, 2, 3, 4])
  for (let n = 0; n < 5; n++) {
    socket.unsentBytes = 0
    outbox.drained()
  }
  assert.deepEqual(released, [1, 2, 3, 4, 0])
  assert.deepEqual(
    written.map(bytes => [bytes.length, bytes[0], bytes[9999]]),
    [0, 1, 2, 3, 4].map(n => [10_000, n, n]),
  )
})

test('a connection that ends gives the socket all of it; one that is gone lets all of it go', () => {
  for (const end of ['writeAll', 'clear'] as const) {
    const { socket, written } = slowSocket()
    const outbox = new Outbox(socket)
    let released = 0
    for (let n = 0; n < 3; n++) outbox.add([Buffer.alloc(10_000, n)], [() => released++], 10_000)
    outbox.add([Buffer.from('small')], [], 5)
    outbox[end]()
    assert.deepEqual([written.length, released], end === 'writeAll' ? [4, 0] : [1, 3])
    assert.equal(outbox.unsentBytes, socket.unsentBytes)
    outbox.clear()
    assert.equal(released, 3)
  }
})
