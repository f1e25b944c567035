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
  /** For gRPC clients, where the broker's process has an endpoint for them. */
  readonly grpcAddr?: string | undefined
  /** Process of the name server: the same as the broker's in Skua. */
  readonly namesrvPid?: number | undefined
  /** Unknown for a server that somebody else started: then there is no CPU figure. */
  readonly pid: number | undefined
  /** From the start of the process to a broker that answers, in ms. */
  readonly readyMs: number
  /** `keep`: the store stays. */
  stop(options?: { readonly keep: boolean }): Promise<void>
  /** Kills the broker and starts it again on its store; ms from the start to a broker that answers. */
  restart?(): Promise<number>
}

export type Settings = Readonly<Record<string, string | number | boolean>>

/** The built command of a checkout, on a store directory of its own. */
export async function startSkua(
  settings: Settings,
  { checkout = root, store = mkdtempSync(join(tmpdir(), 'skua-bench-')) }: { checkout?: string; store?: string } = {},
): Promise<Contender> {
  const bundle = join(checkout, 'packages', 'skua', 'dist', 'bundle', 'main.js')
  if (!existsSync(bundle)) throw new Error(`${bundle} is not there: npm run build`)
  const config = Object.entries(settings).flatMap(([key, value]) => ['--config', `${key}=${value}`])
  const begin = async (port: string) => {
    const begun = performance.now()
    const child = spawn(process.execPath, [bundle, '--store', store, '--port', port, ...config], {
      stdio: ['ignore', 'pipe', 'inherit'],
    })
    const { namesrv, grpcAddr } = await placesOf(child)
    return { child, namesrv, grpcAddr, readyMs: Math.round(performance.now() - begun) }
  }
  const end = async (signal: NodeJS.Signals) => {
    const gone = new Promise(resolve => running.child.once('exit', resolve))
    running.child.kill(signal)
    await gone
  }
  let running = await begin('0')
  return {
    name: 'Skua',
    get namesrv() {
      return running.namesrv
    },
    get grpcAddr() {
      return running.grpcAddr
    },
    get pid() {
      return running.child.pid
    },
    readyMs: running.readyMs,
    restart: async () => {
      await end('SIGKILL')
      running = await begin('0')
      return running.readyMs
    },
    stop: async ({ keep } = { keep: false }) => {
      await end('SIGTERM')
      if (!keep) rmSync(store, { recursive: true, force: true })
    },
  }
}

function placesOf(child: ChildProcess): Promise<{ namesrv: string; grpcAddr: string | undefined }> {
  return new Promise((resolve, reject) => {
    let text = ''
    child.once('exit', code => reject(new Error(`Skua ended with ${code}: ${text}`)))
    child.stdout?.on('data', chunk => {
      text += String(chunk)
      const [, namesrv] = /name server +(\S+)/.exec(text) ?? []
      // The lines behind it come in the same write.
      if (namesrv !== undefined) resolve({ namesrv, grpcAddr: /gRPC +(\S+:\d+)/.exec(text)?.[1] })
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
    namesrvPid: reference.namesrvPid,
    get pid() {
      return reference.brokerPid
    },
    readyMs: Math.round(performance.now() - begun),
    restart: async () => {
      const from = performance.now()
      await reference.restartBroker('SIGKILL')
      return Math.round(performance.now() - from)
    },
    stop: () => reference.stop('SIGKILL'),
  }
}
