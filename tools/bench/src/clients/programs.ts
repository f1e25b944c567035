import { execFile } from 'node:child_process'
import { createHash } from 'node:crypto'
import { copyFileSync, mkdtempSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { aliOnsModules } from '../../../interop/src/ali-ons.ts'
import { type JavaVersion, javaJars } from '../../../interop/src/java-client.ts'
import { cached, command } from '../../../interop/src/toolchain.ts'

const here = dirname(fileURLToPath(import.meta.url))
const patienceMs = 300_000

/** What a client did. Times are of the client's process: CPU of all its threads. */
export interface ClientFigures {
  readonly sendP50Us: number
  readonly sendP99Us: number
  readonly sendPerSecond: number
  readonly sendCpuUs: number
  readonly firstMs: number
  readonly consumePerSecond: number
  readonly consumeCpuUs: number
}

export interface ClientLoad {
  readonly namesrv: string
  readonly topic: string
  /** Holds one message. */
  readonly firstTopic: string
  readonly seconds: number
  readonly window: number
  readonly bodyBytes: number
}

/** A client under test: runs all loads in a process of its own. */
export interface ClientProgram {
  readonly name: string
  run(load: ClientLoad): Promise<ClientFigures>
}

const argumentsOf = (load: ClientLoad): string[] =>
  [load.namesrv, load.topic, load.firstTopic, load.seconds, load.window, load.bodyBytes].map(String)

async function figures(file: string, args: readonly string[]): Promise<ClientFigures> {
  const { stdout } = await promisify(execFile)(file, [...args], { timeout: patienceMs })
  return JSON.parse(stdout.trim().split('\n').at(-1) ?? '') as ClientFigures
}

export const sdkProgram = (): ClientProgram => ({
  name: '@skua-mq/client',
  run: load => figures(process.execPath, [join(here, 'sdk-load.mjs'), ...argumentsOf(load)]),
})

export const aliProgram = (): ClientProgram => ({
  name: 'ali-ons 3.12.0',
  run: async load =>
    figures(process.execPath, [join(here, 'ali-load.cjs'), await aliOnsModules(), ...argumentsOf(load)]),
})

export const javaProgram = (version: JavaVersion): ClientProgram => ({
  name: `Java ${version}`,
  run: async load => {
    const lib = await javaJars(version)
    const source = join(here, 'JavaLoad.java')
    const digest = createHash('sha256').update(readFileSync(source)).digest('hex').slice(0, 12)
    const classes = await cached(`java-${version}/load-${digest}`, async dir => {
      copyFileSync(source, join(dir, 'JavaLoad.java'))
      await command('javac', ['-nowarn', '-d', dir, '-cp', `${lib}/*`, join(dir, 'JavaLoad.java')])
    })
    const home = mkdtempSync(join(tmpdir(), 'skua-load-'))
    try {
      const flags = ['-Xms512m', '-Xmx512m', `-Duser.home=${home}`, `-Drocketmq.client.logRoot=${home}/logs`]
      return await figures('java', [...flags, '-cp', `${classes}:${lib}/*`, 'JavaLoad', ...argumentsOf(load)])
    } finally {
      rmSync(home, { recursive: true, force: true })
    }
  },
})
