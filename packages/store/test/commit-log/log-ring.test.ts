import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BrokenInvariant } from '@skua-mq/runtime'
import fc from 'fast-check'
import { type Chunk, LogRing } from '../../src/commit-log/log-ring.ts'

const chunkBytes = 64
const limitBytes = 4 * chunkBytes

/** A ring that is filled as the log does it; nothing of what was filled counts as unwritten. */
class Filled {
  readonly ring = new LogRing({ chunkBytes, limitBytes })
  end = 0

  /** One whole chunk of `value`. */
  chunk(value: number, options: { size?: number; keepFrom?: number } = {}): Chunk {
    const { size = chunkBytes, keepFrom = this.end } = options
    const chunk = this.ring.open(this.end, { size, keepFrom })
    chunk.bytes.fill(value, 0, size)
    chunk.used = size
    this.end += size
    return chunk
  }

  get held(): Chunk[] {
    const held: Chunk[] = []
    this.ring.eachFrom(0, chunk => held.push(chunk))
    return held
  }

  get bytes(): number {
    return this.held.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }
}

describe('LogRing', () => {
  test('finds what lies in one chunk as a whole, and nothing else', () => {
    const at = new Filled()
    for (const value of [1, 2, 3]) at.chunk(value)
    at.ring.newest!.used = 10
    const bases = (offset: number, size: number) => at.ring.find(offset, size)?.base
    assert.equal(bases(0, 64), 0)
    assert.equal(bases(63, 1), 0)
    assert.equal(bases(64, 64), 64)
    assert.equal(bases(137, 1), 128)
    assert.equal(bases(63, 2), undefined, 'across two chunks')
    assert.equal(bases(137, 2), undefined, 'behind what is filled')
    assert.equal(bases(500, 1), undefined)
    assert.equal(new Filled().ring.find(0, 1), undefined)
  })

  test('holds its limit, and lets the oldest go first', () => {
    const at = new Filled()
    for (let value = 0; value < 20; value++) {
      at.chunk(value)
      assert.ok(at.bytes <= limitBytes, `${at.bytes} after ${value + 1} chunks`)
    }
    assert.equal(at.bytes, limitBytes)
    assert.equal(at.ring.oldestOffset, 16 * chunkBytes)
    assert.equal(at.ring.find(16 * chunkBytes - 1, 1), undefined)
    at.chunk(1, { size: 3 * chunkBytes })
    assert.equal(at.bytes, limitBytes, 'also for a chunk of its own size')
  })

  test('keeps what is not written, above its limit if it must', () => {
    const at = new Filled()
    at.chunk(0)
    for (let value = 1; value < 10; value++) at.chunk(value, { keepFrom: chunkBytes })
    assert.equal(at.ring.oldestOffset, chunkBytes)
    for (let value = 1; value < 10; value++) assert.equal(at.ring.find(value * chunkBytes, 64)?.bytes[63], value)
    at.chunk(10)
    assert.ok(at.bytes <= limitBytes)
  })

  test('fills no chunk anew that a reader has pinned', () => {
    for (const leave of ['falls out', 'is cut away'] as const) {
      const at = new Filled()
      const read = at.chunk(7)
      read.pins++
      if (leave === 'is cut away') at.ring.cut(0)
      for (let value = 10; value < 30; value++) assert.notEqual(at.chunk(value).bytes, read.bytes, leave)
      assert.ok(read.bytes.every(byte => byte === 7))
    }
  })

  test('fills chunks anew that nobody has pinned, and only those of the usual size', () => {
    const at = new Filled()
    const buffers = new Set<Buffer>()
    for (let value = 0; value < 40; value++) buffers.add(at.chunk(value).bytes)
    assert.ok(buffers.size <= 6, `${buffers.size} buffers`)
    const other = new Filled()
    other.chunk(1, { size: limitBytes })
    for (let value = 0; value < 5; value++) assert.equal(other.chunk(value).bytes.length, chunkBytes)
  })

  test('says so when a chunk was pinned after it had been given up, or would lie over another', () => {
    const at = new Filled()
    at.chunk(0)
    assert.throws(() => at.ring.open(at.end - 1, { size: chunkBytes, keepFrom: 0 }), BrokenInvariant)
    const other = new Filled()
    const given = other.chunk(0)
    other.ring.cut(0)
    other.end = 0
    given.pins++
    assert.throws(() => other.chunk(1), BrokenInvariant)
  })

  test('a cut takes what lies behind it, within a chunk and between two', () => {
    const at = new Filled()
    for (const value of [1, 2, 3]) at.chunk(value)
    at.ring.cut(1000)
    assert.equal(at.ring.newest?.used, 64, 'nothing is behind the end')
    at.ring.cut(100)
    assert.deepEqual([at.ring.newest?.base, at.ring.newest?.used], [64, 36])
    assert.equal(at.ring.find(99, 1)?.base, 64)
    assert.equal(at.ring.find(99, 2), undefined)
    at.ring.cut(64)
    assert.deepEqual([at.ring.newest?.base, at.ring.newest?.used], [0, 64])
    at.ring.cut(64)
    assert.equal(at.ring.newest?.used, 64, 'nothing lies there')
    at.ring.cut(0)
    assert.equal(at.ring.newest, undefined)
    at.end = 0
    for (let value = 0; value < 4; value++) at.chunk(value)
    assert.equal(at.ring.oldestOffset, 0, 'what was cut does not count any more')
  })

  test('visits what reaches behind an offset, oldest first', () => {
    const at = new Filled()
    for (const value of [1, 2, 3]) at.chunk(value)
    const visited = (from: number) => {
      const bases: number[] = []
      at.ring.eachFrom(from, ({ base }) => bases.push(base))
      return bases
    }
    assert.deepEqual(visited(0), [0, 64, 128])
    assert.deepEqual(visited(63), [0, 64, 128])
    assert.deepEqual(visited(64), [64, 128])
    assert.deepEqual(visited(191), [128])
    assert.deepEqual(visited(192), [])
  })

  test('however it is used: what a reader has pinned stays, and what is found is what was put there last', () => {
    const step = fc.record({
      what: fc.constantFrom('fill', 'fill', 'fill', 'large', 'pin', 'unpin', 'cut'),
      by: fc.nat(200),
    })
    fc.assert(
      fc.property(fc.array(step, { maxLength: 80 }), steps => {
        const at = new Filled()
        let log: number[] = []
        const pinned: { chunk: Chunk; from: number; was: Buffer }[] = []
        steps.forEach(({ what, by }, round) => {
          if (what === 'fill' || what === 'large') {
            const size = what === 'large' ? chunkBytes + 1 + by : chunkBytes
            at.chunk(round, { size })
            log.push(...new Array<number>(size).fill(round))
          } else if (what === 'cut') {
            at.end = Math.max(0, at.end - by)
            at.ring.cut(at.end)
            log = log.slice(0, at.end)
          } else if (what === 'unpin') {
            const pin = pinned.splice(by % (pinned.length + 1), 1)[0]
            if (pin !== undefined) pin.chunk.pins--
          } else {
            const chunk = at.held[by % (at.held.length + 1)]
            if (chunk === undefined) return
            chunk.pins++
            pinned.push({ chunk, from: chunk.base, was: Buffer.from(chunk.bytes.subarray(0, chunk.used)) })
          }
          for (const { chunk, was } of pinned) assert.deepEqual(chunk.bytes.subarray(0, was.length), was)
          for (const { base, used, bytes } of at.held)
            assert.deepEqual([...bytes.subarray(0, used)], log.slice(base, base + used))
          assert.ok(at.bytes <= limitBytes || at.held.length === 1)
        })
      }),
    )
  })
})
