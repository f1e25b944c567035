import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, before, describe, test } from 'node:test'
import { leftOut } from '../../../packages/skua/src/command/mqadmin/left-out.ts'
import { entries } from '../../../packages/skua/src/command/mqadmin/subcommands.ts'
import { surprisesOf, surprisesOfOurs } from '../src/admin/judge.ts'
import { comparedCommands } from '../src/admin/lines.ts'
import { readCommands } from '../src/admin/record.ts'
import { apaches, ours, runLines } from '../src/admin/run.ts'
import { startTool, toolVersions } from '../src/admin/tool.ts'
import { startWorld, type World } from '../src/admin/world.ts'
import { skipWithout } from '../src/toolchain.ts'

// Both tools at the same time, since both wait for the broker to take samples.
describe('mqadmin and what was recorded of it at real servers', { concurrency: true }, () => {
  for (const version of toolVersions) {
    test(`every command of Apache’s ${version} is compared, or named with a reason`, () => {
      const missing = readCommands(version)
        .map(({ name }) => name)
        .filter(name => !comparedCommands(version).has(name) && !leftOut.has(name))
      assert.deepEqual(missing, [])
    })

    test(`ours has every command of ${version}, or says why not`, () => {
      const names = new Set(entries.flatMap(({ name, alias }) => (alias === undefined ? [name] : [name, alias])))
      const unknown = readCommands(version).filter(({ name }) => !names.has(name) && !leftOut.has(name))
      assert.deepEqual(unknown, [])
    })
  }

  describe('4.9.8', { skip: skipWithout('java') }, () => {
    const home = mkdtempSync(join(tmpdir(), 'skua-tool-'))
    let world: World
    before(async () => {
      world = await startWorld('skua')
    })
    after(async () => {
      await world?.stop()
      rmSync(home, { recursive: true, force: true })
    })

    test('Apache’s tool prints at Skua what it prints at RocketMQ', async () => {
      const tool = await startTool('4.9.8', home)
      try {
        assert.deepEqual(surprisesOf('4.9.8', await runLines('4.9.8', world, apaches(tool, world))), [])
      } finally {
        await tool.stop()
      }
    })
  })

  test('ours prints at Skua what Apache’s tool prints at RocketMQ', async () => {
    const world = await startWorld('skua')
    try {
      assert.deepEqual(surprisesOfOurs('4.9.7', await runLines('4.9.8', world, ours(world))), [])
    } finally {
      await world.stop()
    }
  })
})
