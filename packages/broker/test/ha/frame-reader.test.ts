import assert from 'node:assert/strict'
import test from 'node:test'
import { FrameReader, maxFrameBytes } from '../../src/ha/frame-reader.ts'
import { encodeFrameHead } from '../../src/ha/ha-frame.ts'

function read(chunks: Iterable<Buffer>): { frames: [number, Buffer][]; heads: number } {
  const frames: [number, Buffer][] = []
  let heads = 0
  const reader = new FrameReader({
    head: () => ++heads > 0,
    body: (offset, bytes) => frames.push([offset, Buffer.from(bytes)]),
    damaged: remark => assert.fail(remark),
  })
  for (const chunk of chunks) {
    const reused = Buffer.from(chunk)
    reader.push(reused)
    reused.fill(0xee)
  }
  return { frames, heads }
}

function* cut(bytes: Buffer, size: number): Generator<Buffer> {
  for (let at = 0; at < bytes.length; at += size) yield bytes.subarray(at, at + size)
}

test('frames are the same however they are cut', () => {
  const bodies = [1, 700, 0, 32_768, 5].map((length, n) => Buffer.alloc(length, n + 1))
  const all = Buffer.concat(bodies.flatMap((body, n) => [encodeFrameHead(n * 1000, body.length), body]))
  for (const size of [1, 2, 11, 12, 13, 1000, 33_000, all.length]) {
    const { frames, heads } = read(cut(all, size))
    assert.equal(heads, bodies.length)
    assert.deepEqual(
      frames,
      bodies.map((body, n): [number, Buffer] => [n * 1000, body]).filter(([, body]) => body.length > 0),
    )
  }
})

test('the largest frame in the smallest chunks costs no copy of what came for each of them', () => {
  const begun = performance.now()
  const body = Buffer.alloc(maxFrameBytes, 7)
  const { frames } = read(cut(Buffer.concat([encodeFrameHead(5, body.length), body]), 500))
  assert.equal(frames.length, 1)
  assert.ok(frames[0]![1].equals(body))
  const ms = performance.now() - begun
  assert.ok(ms < 1000, `${ms} ms`)
})
