import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { Disk } from '@skua-mq/runtime'
import { exportedLine, importMessages, storedMessages, verifyStore } from '../../src/index.ts'
import { expectedOf, unpackFixture } from '../fixture.ts'
import { open, special, world } from '../harness.ts'

async function exported(disk: Disk): Promise<string[]> {
  const lines: string[] = []
  for await (const message of storedMessages(disk, '/store')) lines.push(exportedLine(message))
  return lines
}

async function* each(lines: readonly string[]): AsyncGenerator<string> {
  yield* lines
}

async function imported(lines: readonly string[]) {
  const at = world()
  const { store, turn } = await open(at)
  const running = importMessages(store, each(lines), at.clock)
  let isOver = false
  running.then(
    () => {
      isOver = true
    },
    () => {
      isOver = true
    },
  )
  while (!isOver) {
    turn.run()
    await new Promise(resolve => setImmediate(resolve))
  }
  await at.clock.until(store.stop())
  return { at, result: await running }
}

/** What an import may not change. */
function kept(line: string): unknown {
  const { phyOffset, queueOffset, storeTimestamp, storeHost, storePort, size, ...rest } = JSON.parse(line)
  return rest
}

for (const name of ['store-4.9.7-clean', 'store-5.3.3-clean']) {
  test(`${name}: what is exported and imported is the same but for offsets and store times, in the same order`, async () => {
    const { disk } = world()
    unpackFixture(name, disk, '/store')
    const lines = await exported(disk)
    assert.equal(lines.length, expectedOf(name).messages.length)
    const { at, result } = await imported(lines)
    const again = await exported(at.disk)
    const wanted = lines.filter(line => {
      const { topic, sysFlag } = JSON.parse(line)
      return !topic.startsWith('RMQ_SYS_TRANS_') && [0, 8].includes(sysFlag & 0xc)
    })
    assert.deepEqual(again.map(kept), wanted.map(kept))
    assert.equal(result.messages, wanted.length)
    assert.equal(result.leftOut, lines.length - wanted.length)
    assert.deepEqual(await findings(at.disk), [])
  })
}

async function findings(disk: Disk): Promise<string[]> {
  const found: string[] = []
  for await (const finding of verifyStore(disk, '/store', { special })) found.push(finding)
  return found
}

test('a line that is no message ends the import with its number and the field', async () => {
  const { disk } = world()
  unpackFixture('store-4.9.7-clean', disk, '/store')
  const [line] = await exported(disk)
  const wrong = (change: Record<string, unknown>) => JSON.stringify({ ...JSON.parse(line!), ...change })
  const cases: readonly (readonly [string, RegExp])[] = [
    ['{', /line 2: .*JSON/],
    [wrong({ topic: undefined }), /line 2: topic is missing/],
    [wrong({ bodyHex: 'abc' }), /line 2: bodyHex is "abc"/],
    [wrong({ bornHost: 'somewhere' }), /line 2: bornHost is "somewhere"/],
    [wrong({ queueId: -1 }), /line 2: queueId is -1/],
    [wrong({ properties: { a: 1 } }), /line 2: properties is/],
    [wrong({ topic: 'x'.repeat(200) }), /topic has 200 bytes/],
  ]
  for (const [bad, reason] of cases) await assert.rejects(imported([line!, bad]), reason)
})
