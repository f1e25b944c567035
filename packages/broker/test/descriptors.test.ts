import assert from 'node:assert/strict'
import { test } from 'node:test'
import { shareDescriptors } from '../src/descriptors.ts'

test('files and connections together stay below the limit of descriptors, with a reserve, and neither takes all', () => {
  for (let limit = 60; limit < 200_000; limit = Math.ceil(limit * 1.3)) {
    const { maxOpenFiles, maxConnections } = shareDescriptors({ limit, maxOpenFiles: 800, maxConnections: 50_000 })
    assert.ok(maxOpenFiles + maxConnections <= limit - 16, `${limit}: ${maxOpenFiles} + ${maxConnections}`)
    assert.ok(maxOpenFiles >= 16 && maxConnections >= 16)
  }
  assert.deepEqual(shareDescriptors({ limit: 150, maxOpenFiles: 800, maxConnections: 50_000 }), {
    maxOpenFiles: 50,
    maxConnections: 50,
    slaveCrowd: 4,
    isShared: true,
  })
  assert.deepEqual(shareDescriptors({ limit: 1024, maxOpenFiles: 800, maxConnections: 50_000 }), {
    maxOpenFiles: 480,
    maxConnections: 480,
    slaveCrowd: 16,
    isShared: true,
  })
  assert.deepEqual(shareDescriptors({ limit: 1_048_576, maxOpenFiles: 800, maxConnections: 50_000 }), {
    maxOpenFiles: 800,
    maxConnections: 50_000,
    slaveCrowd: 16_384,
    isShared: false,
  })
  assert.deepEqual(shareDescriptors({ limit: undefined, maxOpenFiles: 800, maxConnections: 70 }), {
    maxOpenFiles: 800,
    maxConnections: 70,
    slaveCrowd: Number.POSITIVE_INFINITY,
    isShared: false,
  })
  // Who asked for more than there can be is told.
  assert.equal(shareDescriptors({ limit: 20_000, maxOpenFiles: 800, maxConnections: 30_000 }).isShared, true)
})
