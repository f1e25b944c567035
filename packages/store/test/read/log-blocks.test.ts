import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { BrokenInvariant } from '@skua-mq/runtime'
import { GetResult } from '../../src/index.ts'
import { type LogBlock, LogBlocks } from '../../src/read/log-blocks.ts'
import { bytesAt, LogParts } from '../log-parts.ts'

const blockBytes = 256 * 1024
/** Two whole blocks and a short one. */
const size = 600_000

/** A log whose blocks are read from its files, at most `kept` of them in memory. */
function blocksOf({ length = 2 * size, kept = 2 }: { length?: number; kept?: number } = {}) {
  const at = new LogParts({ size, chunkBytes: 65_536 })
  at.write(length)
  return { at, blocks: new LogBlocks(at.log, kept * blockBytes) }
}

function assertTrue(block: LogBlock | undefined, message?: string): asserts block is LogBlock {
  assert.ok(block !== undefined, message)
  const { base, bytes, length } = block
  assert.ok(bytes.subarray(0, length).equals(bytesAt(base, length)), message ?? `the block at ${base} is the log's`)
}

describe('LogBlocks', () => {
  test('blocks lie within files, the last one of a file being shorter', async () => {
    const { blocks } = blocksOf()
    const places = [0, blockBytes - 1, blockBytes, size - 1, size, size + blockBytes + 7]
    assert.deepEqual(
      places.map(offset => [blocks.baseOf(offset), blocks.endOf(blocks.baseOf(offset))]),
      [
        [0, blockBytes],
        [0, blockBytes],
        [blockBytes, 2 * blockBytes],
        [2 * blockBytes, size],
        [size, size + blockBytes],
        [size + blockBytes, size + 2 * blockBytes],
      ],
    )
    for (const offset of places) {
      const block = await blocks.hold(blocks.baseOf(offset), offset + 1)
      assertTrue(block)
      assert.equal(block.base + block.length, blocks.endOf(block.base))
      block.pins--
    }
  })

  test('a block that is in memory is pinned and not read again', async () => {
    const { at, blocks } = blocksOf()
    const first = await blocks.hold(0, 100)
    at.disk.faults.fail({ on: 'read', code: 'EIO' })
    assert.equal(await blocks.hold(0, blockBytes), first)
    assert.equal(first?.pins, 2)
    assert.equal(blocks.find(0, blockBytes), first)
    assert.equal(blocks.find(blockBytes, blockBytes + 1), undefined)
  })

  test('all who wait for a read share it, and each of them has it pinned when it comes', async () => {
    const { at, blocks } = blocksOf({ kept: 1 })
    at.disk.faults.slow({ on: 'read', ms: 10 })
    at.disk.faults.fail({ on: 'read', code: 'EIO', skip: 2 })
    const seen: number[] = []
    const holding = [1, 2, 3].map(async end => {
      const block = await blocks.hold(0, end)
      seen.push(block?.pins ?? -1)
      return block
    })
    // Comes in the same instant, and has room only if it takes that of the others.
    const other = blocks.hold(blockBytes, blockBytes + 1)
    at.clock.advance(10)
    const [one, two, three] = await Promise.all(holding)
    assert.deepEqual(seen, [3, 3, 3])
    assert.ok(one === two && two === three)
    at.disk.faults.clear()
    assertTrue(await other)
    assertTrue(one)
    assertTrue(await blocks.hold(2 * blockBytes, size))
    assertTrue(one, 'the block is whole while they have it')
    assertTrue(await other)
  })

  test('what is pinned is neither given up nor filled anew; what is not goes when there is no room', async () => {
    const { blocks } = blocksOf({ kept: 1 })
    const held = await blocks.hold(0, 1)
    assertTrue(held)
    const second = await blocks.hold(blockBytes, blockBytes + 1)
    assertTrue(second)
    assert.equal(blocks.find(0, 1), held, 'more than the limit is held where more is pinned')
    held.pins--
    second.pins--
    const buffers = new Set<Buffer>()
    for (let round = 0; round < 4; round++)
      for (const base of [size, size + blockBytes, 0, blockBytes]) {
        const block = await blocks.hold(base, base + 1)
        assertTrue(block)
        buffers.add(block.bytes)
        block.pins--
      }
    assert.equal(blocks.find(size, size + 1), undefined)
    assert.equal(blocks.find(size + blockBytes, size + blockBytes + 1), undefined)
    assert.equal(blocks.find(0, 1), undefined)
    assertTrue(blocks.find(blockBytes, 2 * blockBytes))
    assert.ok(buffers.size <= 3, `${buffers.size} buffers`)
  })

  test('says so when a block was pinned after it had been given up, or is released once too often', async () => {
    const { blocks } = blocksOf({ kept: 1 })
    const first = await blocks.hold(0, 1)
    const result = new GetResult()
    result.pinned.push(first!)
    result.release()
    const second = await blocks.hold(blockBytes, blockBytes + 1)
    second!.pins--
    first!.pins++
    await assert.rejects(blocks.hold(size, size + 1), BrokenInvariant)
    first!.pins--
    result.pinned.push(first!)
    assert.throws(() => result.release(), BrokenInvariant)
    assert.equal(first!.pins, 0)
  })

  test('what was of use lately stays, and what was given up is not found as the one that was of use last', async () => {
    const { blocks } = blocksOf({ kept: 2 })
    const hold = async (base: number) => {
      const block = await blocks.hold(base, base + 1)
      assertTrue(block)
      block.pins--
      return block
    }
    const first = await hold(0)
    await hold(blockBytes)
    blocks.touch(first)
    await hold(size)
    assert.equal(blocks.find(0, 1), first)
    assert.equal(blocks.find(blockBytes, blockBytes + 1), undefined)
    await hold(blockBytes)
    await hold(size + blockBytes)
    assert.equal(blocks.find(0, 1), undefined)
    blocks.touch(first)
    assert.equal(blocks.find(0, 1), undefined, 'touched when it is no more')
  })

  test('a read that fails is told to all who wait, leaves no pin and no file open, and is done anew for the next one', async () => {
    const { at, blocks } = blocksOf()
    at.disk.faults.slow({ on: 'read', ms: 10 })
    at.disk.faults.fail({ on: 'read', code: 'EIO', times: 1 })
    const both = Promise.allSettled([blocks.hold(0, 1), blocks.hold(0, 1)])
    await at.clock.advanceAsync(10)
    for (const result of await both) assert.match(String((result as { reason?: unknown }).reason), /EIO/)
    assert.equal(at.pinsOf(0), 0)
    assert.equal(blocks.find(0, 1), undefined)
    const block = await at.clock.until(blocks.hold(0, 1))
    assertTrue(block)
    assert.equal(block.pins, 1)
    assert.equal(at.pinsOf(0), 0)
  })

  test('who waits for a read that began before the log had grown gets a longer block, and leaves no pin on the other', async () => {
    const { at, blocks } = blocksOf({ length: 1000 })
    at.disk.faults.slow({ on: 'read', ms: 10 })
    const before = blocks.hold(0, 1000)
    at.write(1000)
    const behind = blocks.hold(0, 2000)
    const short = await at.clock.until(before)
    const long = await at.clock.until(behind)
    assertTrue(short)
    assertTrue(long)
    assert.deepEqual([short.length, short.pins], [1000, 1])
    assert.deepEqual([long.length, long.pins], [2000, 1])
    assert.equal(blocks.find(0, 2000), long)
    const others = [await at.clock.until(blocks.hold(0, 1)), long]
    blocks.touch(long)
    at.write(blockBytes)
    for (const end of [blockBytes, blockBytes + 1]) {
      const block = await at.clock.until(blocks.hold(blocks.baseOf(end - 1), end))
      assertTrue(block)
      others.push(block)
      assert.equal(blocks.find(block.base, end), block)
    }
    for (const block of [short, ...others]) assertTrue(block, 'its buffer is its own while it is pinned')
  })

  test('what the log does not have is undefined at once and for all who wait', async () => {
    const { at, blocks } = blocksOf({ length: 1000 })
    const held = await blocks.hold(0, 1000)
    assert.equal(await blocks.hold(0, 1001), undefined)
    assert.equal(await blocks.hold(blockBytes, blockBytes + 1), undefined, 'behind the end')
    assert.equal(await blocks.hold(size, size + 1), undefined, 'in no file')
    const both = [blocks.hold(0, 1001), blocks.hold(0, 1001)]
    assert.deepEqual(await Promise.all(both), [undefined, undefined])
    assertTrue(held)
    const again = await blocks.hold(0, 1000)
    assert.ok(again !== undefined && again.pins <= 2, 'whoever got nothing has nothing pinned')
    assert.equal(at.pinsOf(0), 0)
  })

  test('a file that is deleted is not found any more; a read of it that is under way comes to its end', async () => {
    const { at, blocks } = blocksOf()
    const known = await blocks.hold(0, 1)
    at.disk.faults.slow({ on: 'read', ms: 10 })
    const reading = blocks.hold(blockBytes, blockBytes + 1)
    await at.clock.until(at.log.segments.removeFirst())
    assert.equal(blocks.find(0, 1), undefined)
    assertTrue(await at.clock.until(reading))
    assertTrue(known)
    assert.equal(await at.clock.until(blocks.hold(2 * blockBytes, size)), undefined)
    assertTrue(await at.clock.until(blocks.hold(size, size + 1)))
  })
})
