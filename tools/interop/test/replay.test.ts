import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { startStandalone } from 'skua'
import { readRecording } from '../src/record/frame-line.ts'
import { intendedDifferences } from '../src/record/intended.ts'
import { replay } from '../src/record/replay.ts'

const dir = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'test', 'recorded')
const used = new Set<unknown>()

describe('a fresh broker answers what clients asked of RocketMQ as RocketMQ did', () => {
  for (const file of readdirSync(dir).sort()) {
    test(file, async () => {
      const skua = await startStandalone({ port: 0, store: 'memory' })
      try {
        const brokerAddr = skua.brokers[0]?.address ?? ''
        const found = await replay(readRecording(join(dir, file)), { namesrvAddr: skua.namesrvAddr, brokerAddr })
        const surprises = found.filter(difference => {
          const intended = intendedDifferences.find(
            each => each.code === difference.code && each.what.test(difference.what) && each.recording.test(file),
          )
          if (intended !== undefined) used.add(intended)
          return intended === undefined
        })
        assert.deepEqual(surprises, [])
      } finally {
        await skua.stop()
      }
    })
  }

  test('every intended difference is seen in some recording', () => {
    assert.deepEqual(
      intendedDifferences.filter(each => each.always && !used.has(each)),
      [],
    )
  })
})
