import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Driver } from '../driver.ts'
import { makeHome } from '../reference/home.ts'
import { cached, command } from '../toolchain.ts'

export const toolVersions = ['4.9.8', '5.3.3'] as const
export type ToolVersion = (typeof toolVersions)[number]

const interop = join(dirname(fileURLToPath(import.meta.url)), '..', '..')
const sources = [join(interop, 'java-admin', 'src', 'AdminDriver.java'), join(interop, 'java', 'src', 'Json.java')]

/** What a command line did. */
export interface ToolRun {
  readonly output: string
  readonly errors: string
  /** It would have gone on for ever, and was interrupted. */
  readonly endless: boolean
  readonly ms: number
}

/** A flag of a subcommand, as the tool itself knows it. */
export interface ToolFlag {
  readonly short: string
  readonly long: string | null
  readonly takes: boolean
  readonly needed: boolean
}

export interface Tool {
  /** All its subcommands, as its own list has them. */
  list(): Promise<{ name: string; flags: ToolFlag[] }[]>
  run(args: readonly string[], limitMs?: number): Promise<ToolRun>
  stop(): Promise<void>
}

const digestOf = (...files: readonly string[]): string => {
  const digest = createHash('sha256')
  for (const file of files) digest.update(readFileSync(file))
  return digest.digest('hex').slice(0, 12)
}

/** Apache's mqadmin of a version, all command lines in one JVM. */
export async function startTool(version: ToolVersion, home: string): Promise<Tool> {
  const pom = join(interop, 'java-admin', `pom-${version}.xml`)
  const lib = await cached(`admin-${version}/lib-${digestOf(pom)}`, async dir => {
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${dir}`, '-DincludeScope=runtime']
    await command('mvn', ['-q', '-B', '-U', '-f', pom, ...goal])
  })
  const classes = await cached(`admin-${version}/classes-${digestOf(pom, ...sources)}`, async dir => {
    await command('javac', ['-nowarn', '-encoding', 'UTF-8', '-d', dir, '-cp', `${lib}/*`, ...sources])
  })
  makeHome(home)
  const driver = new Driver({
    // consumerStatus writes files where it runs.
    ...{ home, cwd: home, file: 'java' },
    args: () => [
      ...['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Djava.security.manager=allow'],
      ...[`-Duser.home=${home}`, `-Drocketmq.home.dir=${home}`, `-Drocketmq.client.logRoot=${home}/logs`],
      ...['-cp', `${home}/conf:${classes}:${lib}/*`, 'AdminDriver'],
    ],
  })
  return {
    list: () => driver.call('list'),
    run: (args, limitMs = 30_000) => driver.call('run', { args, limitMs }),
    stop: () => driver.kill(),
  }
}
