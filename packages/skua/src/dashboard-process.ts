import { type ChildProcess, spawn } from 'node:child_process'
import { join } from 'node:path'
import { commandPath } from './command-path.ts'

/** How long a dashboard may take to end before it is killed, and to begin. */
const stopPatienceMs = 3_000
const startPatienceMs = 20_000

/** What a dashboard is to look at, and where. */
export interface DashboardPlan {
  readonly namesrvAddr: string
  /** 0 finds a free one. */
  readonly port: number
  /** Default 127.0.0.1. */
  readonly host?: string | undefined
  /** File of accounts; needed for any other host. */
  readonly accounts?: string | undefined
  /** The cluster takes only TLS. */
  readonly tls?: boolean | undefined
  /** Directory of the broker's store: what was changed is kept in it (`dashboard/changes.jsonl`). Default: in memory. */
  readonly store?: string | undefined
  /** Streams that are open at a time, and of these of one user. Default 32, and half. */
  readonly maxStreams?: number | undefined
  readonly maxStreamsPerUser?: number | undefined
}

/** A dashboard that runs beside this process. */
export interface DashboardProcess {
  /** `http://127.0.0.1:8090/` */
  readonly url: string
  stop(): Promise<void>
}

/** What it tells its parent. */
export type DashboardWord = { readonly url: string } | { readonly problem: string }

/**
 * Starts a dashboard in a process of its own, so that whatever browsers ask for takes no time from the loop of a broker. It ends with this
 * process, however that ends. Throws where it does not start.
 */
export async function startDashboardProcess(plan: DashboardPlan): Promise<DashboardProcess> {
  const child = spawn(process.execPath, [commandPath(), 'dashboard', ...argumentsOf(plan)], {
    stdio: ['ignore', 'ignore', 'inherit', 'ipc'],
  })
  const ended = new Promise<string>(resolve => {
    child.once('error', error => resolve(error.message))
    child.once('exit', (code, signal) => resolve(signal === null ? `exit code ${code}` : `ended by ${signal}`))
  })
  const word = await firstWord(child, ended)
  if ('problem' in word) {
    child.kill('SIGKILL')
    await ended
    throw new Error(word.problem)
  }
  const stop = async () => {
    const patience = setTimeout(() => child.kill('SIGKILL'), stopPatienceMs)
    child.kill('SIGTERM')
    await ended
    clearTimeout(patience)
  }
  // Whoever embeds a broker may end its process without a stop: neither handle keeps it.
  child.unref()
  child.channel?.unref()
  return { url: word.url, stop }
}

function firstWord(child: ChildProcess, ended: Promise<string>): Promise<DashboardWord> {
  return new Promise(resolve => {
    const late = setTimeout(() => resolve({ problem: 'the dashboard did not start in time' }), startPatienceMs)
    const say = (word: DashboardWord) => {
      clearTimeout(late)
      resolve(word)
    }
    child.once('message', word => say(word as DashboardWord))
    ended.then(why => say({ problem: `the dashboard did not start: ${why}` }))
  })
}

function argumentsOf({ namesrvAddr, port, host, accounts, tls, ...more }: DashboardPlan): string[] {
  const { store, maxStreams, maxStreamsPerUser } = more
  return [
    ...['-n', namesrvAddr, '--port', String(port)],
    ...(host === undefined ? [] : ['--host', host]),
    ...(accounts === undefined || accounts === '' ? [] : ['--accounts', accounts]),
    ...(tls === true ? ['--tls'] : []),
    ...(store === undefined ? [] : ['--changes', join(store, 'dashboard', 'changes.jsonl')]),
    ...(maxStreams === undefined ? [] : ['--max-streams', String(maxStreams)]),
    ...(maxStreamsPerUser === undefined ? [] : ['--max-streams-per-user', String(maxStreamsPerUser)]),
  ]
}
