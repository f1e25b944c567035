// node --conditions=skua-source --import tsx tools/interop/src/admin/main.ts [4.9.8 | 5.3.3]
// Records what Apache's mqadmin prints at real servers into tools/interop/recorded; takes four minutes.
import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { recordedDir, recordingOf, recordings, writeCommands, writeMqadmin } from './record.ts'
import { apaches, runLines } from './run.ts'
import { startTool } from './tool.ts'
import { startWorld } from './world.ts'

// Leaving this way ends the servers too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
mkdirSync(recordedDir, { recursive: true })
const asked = process.argv[2]
for (const [version, server] of recordings) {
  if (asked !== undefined && asked !== version) continue
  const home = mkdtempSync(join(tmpdir(), 'skua-tool-'))
  const tool = await startTool(version, home)
  const world = await startWorld(server)
  try {
    writeCommands(version, await tool.list())
    const printed = await runLines(version, world, apaches(tool, world))
    writeMqadmin(version, server, recordingOf(printed))
    console.log(`mqadmin ${version} at ${server}: ${printed.length} command lines`)
  } finally {
    await tool.stop()
    await world.stop()
    rmSync(home, { recursive: true, force: true })
  }
}
