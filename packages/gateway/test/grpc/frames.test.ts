import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { FrameReader, framed } from '../../src/grpc/frames.ts'
import { GrpcError, GrpcStatus } from '../../src/grpc/grpc-error.ts'
import { timeoutOf } from '../../src/grpc/timeout.ts'

function reader(maxBytes = 1000) {
  const memory = { bytes: 0 }
  const held = (bytes: number) => {
    memory.bytes += bytes
  }
  const frames = new FrameReader({ maxBytes, held })
  return { memory, frames }
}

test('messages come out whole, however the bytes are cut', () => {
  fc.assert(
    fc.property(
      fc.array(fc.uint8Array({ maxLength: 100 }), { maxLength: 10 }),
      fc.array(fc.integer({ min: 1, max: 50 }), { minLength: 1, maxLength: 100 }),
      (messages, cuts) => {
        const bytes = Buffer.concat(messages.map(message => framed(Buffer.from(message))))
        const { frames } = reader()
        const found: Buffer[] = []
        for (let at = 0, i = 0; at < bytes.length; i++) {
          const size = cuts[i % cuts.length] as number
          found.push(...frames.push(bytes.subarray(at, at + size)).map(message => Buffer.from(message)))
          at += size
        }
        assert.deepEqual(
          found.map(String),
          messages.map(message => String(Buffer.from(message))),
        )
        assert.ok(frames.isBetween)
      },
    ),
  )
})

const statusOf = (run: () => unknown): number | undefined => {
  try {
    run()
  } catch (error) {
    return error instanceof GrpcError ? error.status : -1
  }
  return undefined
}

test('a message longer than grpcMaxMessageBytes is refused at its first five bytes', () => {
  const { frames } = reader(1000)
  const head = Buffer.from([0, 0, 0, 3, 0xe9])
  assert.equal(
    statusOf(() => frames.push(head)),
    GrpcStatus.resourceExhausted,
  )
  assert.equal(
    statusOf(() => reader(1001).frames.push(head)),
    undefined,
  )
})

test('a compressed message is not taken', () => {
  assert.equal(
    statusOf(() => reader().frames.push(Buffer.from([1, 0, 0, 0, 0]))),
    GrpcStatus.unimplemented,
  )
})

test('what has come in part is counted as the memory that it takes, and given back', () => {
  const { memory, frames } = reader(1_000_000)
  frames.push(Buffer.from([0, 0, 0x0f, 0, 0, 1, 2, 3, 4, 5]))
  assert.ok(memory.bytes >= 10 && memory.bytes < 1000, `${memory.bytes}`)
  for (let i = 0; i < 500_000; i++) frames.push(Buffer.from([1]))
  assert.ok(memory.bytes >= 500_000 && memory.bytes < 1_000_000, `${memory.bytes}`)
  frames.clear()
  assert.equal(memory.bytes, 0)
})

test('a byte of a large chunk does not keep the chunk', () => {
  const { frames } = reader()
  const chunk = Buffer.from([0, 0, 0, 0, 2, 1])
  frames.push(chunk)
  chunk.fill(9)
  assert.deepEqual(frames.push(Buffer.from([2])), [Buffer.from([1, 2])])
})

test('deadlines of grpc-timeout', () => {
  assert.equal(timeoutOf('3S'), 3000)
  assert.equal(timeoutOf('100m'), 100)
  assert.equal(timeoutOf('2H'), 7_200_000)
  assert.equal(timeoutOf('5000u'), 5)
  for (const none of [undefined, '', '5', 'S', '123456789S', '-1S', '1.5S', '3s'])
    assert.equal(timeoutOf(none), undefined)
})
