import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { differences, type LineDifference } from '../src/admin/compare.ts'
import { isChanceAt533 } from '../src/admin/intended.ts'
import { surprisesOf, surprisesOfOurs } from '../src/admin/judge.ts'
import { readMqadmin, recordingOf, recordings } from '../src/admin/record.ts'
import { apaches, ours, type Printed, runLines } from '../src/admin/run.ts'
import { startTool, type ToolVersion } from '../src/admin/tool.ts'
import { type Server, startWorld, type World } from '../src/admin/world.ts'
import { referenceVersions } from '../src/reference/jars.ts'
import { skipWithout } from '../src/toolchain.ts'

const slow = { skip: skipWithout('java'), timeout: 400_000 }

async function inWorld<T>(server: Server, work: (world: World) => Promise<T>): Promise<T> {
  const world = await startWorld(server)
  try {
    return await work(world)
  } finally {
    await world.stop()
  }
}

async function printedBy(version: ToolVersion, world: World): Promise<Printed[]> {
  const home = mkdtempSync(join(tmpdir(), 'skua-tool-'))
  const tool = await startTool(version, home)
  try {
    return await runLines(version, world, apaches(tool, world))
  } finally {
    await tool.stop()
    rmSync(home, { recursive: true, force: true })
  }
}

for (const [version, server] of recordings) {
  test(`what is recorded of mqadmin ${version} at RocketMQ ${server} is what it prints`, slow, async () => {
    const printed = await inWorld(server, world => printedBy(version, world))
    const found = differences(readMqadmin(version, server), recordingOf(printed))
    const chance = ({ line, text }: LineDifference) => server === '5.3.3' && isChanceAt533(line, text)
    assert.deepEqual(
      found.filter(each => !chance(each)),
      [],
    )
  })
}

test('mqadmin 5.3.3 prints at Skua what it prints at RocketMQ', slow, async () => {
  assert.deepEqual(surprisesOf('5.3.3', await inWorld('skua', world => printedBy('5.3.3', world))), [])
})

for (const server of referenceVersions) {
  test(`ours prints at RocketMQ ${server} what Apache’s tool prints there`, slow, async () => {
    const printed = await inWorld(server, world => runLines('4.9.8', world, ours(world)))
    assert.deepEqual(surprisesOfOurs(server, printed), [])
  })
}
