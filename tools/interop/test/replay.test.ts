import assert from 'node:assert/strict'
import { readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { describe, test } from 'node:test'
import { fileURLToPath } from 'node:url'
import type { DialectName } from '@skua-mq/protocol'
import { startStandalone } from 'skua'
import { readRecording } from '../src/record/frame-line.ts'
import { intendedDifferences } from '../src/record/intended.ts'
import { replay } from '../src/record/replay.ts'

const dir = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..', 'test', 'recorded')
const used = new Set<unknown>()

/** What was recorded at 5.3.3 is asked of a broker of that dialect; with 4.9 the lite pull of 5.x alone: 4.9.7 has no code 361. */
const isAt533 = (file: string) => file.includes('-at-5.3.3-') || file.startsWith('java-5.3.3-lite-pull')
const files = readdirSync(dir).sort()
const plans: { readonly dialect: DialectName; readonly files: readonly string[] }[] = [
  { dialect: '4.9', files: files.filter(file => !file.includes('-at-5.3.3-')) },
  { dialect: '5.3', files: files.filter(isAt533) },
]

for (const plan of plans)
  describe(`a fresh broker of dialect ${plan.dialect} answers what clients asked of RocketMQ as RocketMQ did`, () => {
    for (const file of plan.files) test(file, () => replayed(plan.dialect, file))
  })

async function replayed(dialect: DialectName, file: string): Promise<void> {
  const skua = await startStandalone({ port: 0, store: 'memory', config: { dialect } })
  try {
    const brokerAddr = skua.brokers[0]?.address ?? ''
    const found = await replay(readRecording(join(dir, file)), { namesrvAddr: skua.namesrvAddr, brokerAddr })
    const surprises = found.filter(difference => {
      const intended = intendedDifferences.find(
        each =>
          (each.dialect ?? dialect) === dialect &&
          each.code === difference.code &&
          each.what.test(difference.what) &&
          each.recording.test(file),
      )
      if (intended !== undefined) used.add(intended)
      return intended === undefined
    })
    assert.deepEqual(surprises, [])
  } finally {
    await skua.stop()
  }
}

test('every intended difference is seen in some recording', () => {
  assert.deepEqual(
    intendedDifferences.filter(each => each.always && !used.has(each)),
    [],
  )
})
