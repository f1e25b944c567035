import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import type { ReferenceVersion } from '../../interop/src/reference/jars.ts'
import { startReference } from '../../interop/src/reference/start.ts'

const root = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')

/** A broker under load: where to find it, whom to charge, and how to end it. */
export interface Contender {
  readonly name: string
  readonly namesrv: string
  /** Unknown for a server that somebody else started: then there is no CPU figure. */
  readonly pid: number | undefined
  /** From the start of the process to a broker that answers, in ms. */
  readonly readyMs: number
  stop(): Promise<void>
}

export type Settings = Readonly<Record<string, string | number | boolean>>

/** The built command of a checkout, on a store directory of its own. */
export async function startSkua(settings: Settings, checkout = root): Promise<Contender> {
  const bundle = join(checkout, 'packages', 'skua', 'dist', 'bundle', 'main.js')
  if (!existsSync(bundle)) throw new Error(`${bundle} is not there: npm run build`)
  const store = mkdtempSync(join(tmpdir(), 'skua-bench-'))
  const config = Object.entries(settings).flatMap(([key, value]) => ['--config', `${key}=${value}`])
  const begun = performance.now()
  const child = spawn(process.execPath, [bundle, '--store', store, '--port', '0', ...config], {
    stdio: ['ignore', 'pipe', 'inherit'],
  })
  const namesrv = await nameServerOf(child)
  return {
    name: 'Skua',
    namesrv,
    pid: child.pid ?? 0,
    readyMs: Math.round(performance.now() - begun),
    stop: async () => {
      const gone = new Promise(resolve => child.once('exit', resolve))
      child.kill('SIGTERM')
      await gone
      rmSync(store, { recursive: true, force: true })
    },
  }
}

function nameServerOf(child: ChildProcess): Promise<string> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.once('exit', code => reject(new Error(`Skua ended with ${code}: ${text}`)))
    child.stdout?.on('data', chunk => {
      text += String(chunk)
      const found = /name server +(\S+)/.exec(text)
      if (found?.[1] !== undefined) resolve(found[1])
    })
  })
}

/** The real one. */
export async function startApache(version: ReferenceVersion, settings: Settings, heapMb: number): Promise<Contender> {
  const begun = performance.now()
  const reference = await startReference({ version, conf: settings, heapMb })
  return {
    name: `Apache ${version}`,
    namesrv: reference.namesrvAddr,
    pid: reference.brokerPid,
    readyMs: Math.round(performance.now() - begun),
    stop: () => reference.stop('SIGKILL'),
  }
}
