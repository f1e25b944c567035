import { readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ReferenceVersion } from '../reference/jars.ts'
import { maskedLines } from './mask.ts'
import type { Printed } from './run.ts'
import type { ToolFlag, ToolVersion } from './tool.ts'

export const recordedDir = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'recorded')

/** What a tool of Apache's printed at a real server, masked, by command line. */
export type Recording = Readonly<Record<string, readonly string[]>>

/** Which recordings there are: each tool at the server of its age, and the newer one at the older server, as which ours answers. */
export const recordings: readonly (readonly [ToolVersion, ReferenceVersion])[] = [
  ['4.9.8', '4.9.7'],
  ['4.9.8', '5.3.3'],
  ['5.3.3', '5.3.3'],
  ['5.3.3', '4.9.7'],
]

const fileOf = (tool: ToolVersion, server: ReferenceVersion) => join(recordedDir, `mqadmin-${tool}-at-${server}.json`)
const listFile = (tool: ToolVersion) => join(recordedDir, `mqadmin-${tool}-commands.json`)
const read = <T>(path: string): T => JSON.parse(readFileSync(path, 'utf8')) as T
const write = (path: string, value: unknown) => writeFileSync(path, `${JSON.stringify(value, undefined, 2)}\n`)

export const recordingOf = (printed: readonly Printed[]): Recording =>
  Object.fromEntries(printed.map(each => [each.line, maskedLines(each)]))

export const readMqadmin = (tool: ToolVersion, server: ReferenceVersion): Recording => read(fileOf(tool, server))
export const writeMqadmin = (tool: ToolVersion, server: ReferenceVersion, recording: Recording): void =>
  write(fileOf(tool, server), recording)

export interface ToolCommand {
  readonly name: string
  readonly flags: readonly ToolFlag[]
}

/** All subcommands of a tool, out of its own list. */
export const readCommands = (tool: ToolVersion): readonly ToolCommand[] => read(listFile(tool))
export const writeCommands = (tool: ToolVersion, commands: readonly ToolCommand[]): void =>
  write(listFile(tool), commands)
