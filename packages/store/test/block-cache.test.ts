import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Block, BlockCache, type BlockOwner } from '../src/consume-queue/block-cache.ts'

/** A queue as the cache sees it: its blocks in order. */
class Owner implements BlockOwner {
  readonly blocks: Block[] = []
  private readonly cache: BlockCache

  constructor(cache: BlockCache) {
    this.cache = cache
  }

  grow(): Block {
    const block = this.cache.open(this, { firstUnit: this.blocks.length, isFirst: false })
    this.blocks.push(block)
    return block
  }

  dropOldest(): void {
    this.cache.closed(this.blocks.shift()!)
  }
}

describe('BlockCache', () => {
  const blockBytes = 512 * 20

  test('what queues hold stays under the limit, however they take turns', () => {
    const limit = 40 * blockBytes
    const cache = new BlockCache(limit, error => assert.fail(String(error)))
    const owners = Array.from({ length: 8 }, () => new Owner(cache))
    for (let round = 0; round < 2000; round++) {
      // Some queues are busier than others, and every block is filled once more after it was opened.
      const owner = owners[(round * round) % 8]!
      const newest = owner.blocks.at(-1)
      owner.grow()
      if (newest !== undefined) newest.touched = true
      const held = owners.reduce((sum, { blocks }) => sum + blocks.length, 0)
      assert.equal(cache.bytes, held * blockBytes)
      assert.ok(cache.bytes <= limit, `${cache.bytes} after ${round} rounds`)
    }
  })

  test('blocks of queues that went away are not kept', () => {
    const cache = new BlockCache(1000 * blockBytes, error => assert.fail(String(error)))
    const stays = new Owner(cache)
    stays.grow()
    for (let topic = 0; topic < 20_000; topic++) {
      const owner = new Owner(cache)
      owner.grow()
      owner.dropOldest()
    }
    assert.ok(cache.listed < 2000, `${cache.listed}`)
    assert.equal(cache.bytes, blockBytes)
    assert.ok(stays.blocks[0]!.isHeld)
  })
})
