import { setPriority } from 'node:os'
import { type ClusterOptions, startDashboard } from '@skua-mq/dashboard'
import type { DashboardWord } from '../dashboard-process.ts'
import { type AccessFlags, credentialsOf } from './access-flags.ts'
import { oneLine } from './fail.ts'
import { untilSignal } from './run.ts'
import { tlsOf } from './tls-flags.ts'

export interface DashboardCommand extends AccessFlags {
  readonly namesrvAddr: readonly string[]
  readonly port: number
  readonly host: string
  readonly accounts?: string
  readonly allowHost?: readonly string[]
  readonly basePath?: string
  readonly readOnly?: boolean
  readonly changes?: string
  readonly maxStreams?: number
  readonly maxStreamsPerUser?: number
  readonly timeoutMs: number
  readonly tls?: boolean
  readonly tlsCa?: string
}

/** Whoever pages of a cluster asks waits rather than who sends to it, where both are on one machine. */
const niceness = 5

/** `skua dashboard`: beside a broker that started it, or alone before any cluster. */
export async function runDashboard(command: DashboardCommand): Promise<void> {
  const tell = process.send?.bind(process) as ((word: DashboardWord) => void) | undefined
  try {
    setPriority(niceness)
  } catch {
    // Not every system lets it; then it is as important as others.
  }
  const { port, host, accounts, allowHost = [], basePath, readOnly = false } = command
  const { changes: changesFile, maxStreams, maxStreamsPerUser } = command
  const start = () =>
    startDashboard({
      ...{ clusters: clustersOf(command), port, host, readOnly, allowedHosts: allowHost },
      ...{ changesFile, maxStreams, maxStreamsPerUser },
      ...(accounts === undefined ? {} : { accounts }),
      ...(basePath === undefined ? {} : { basePath }),
    }).catch(error => {
      tell?.({ problem: oneLine(error) })
      throw error
    })
  // Its parent is told, and prints; without one this is the command that somebody typed.
  process.once('disconnect', () => process.exit(0))
  const listener = await untilSignal(start, { ignoreHangUp: tell !== undefined })
  if (tell !== undefined) tell({ url: listener.url })
  else process.stdout.write(`Dashboard of ${command.namesrvAddr.join(' and ')}: ${listener.url}\n\nCtrl-C ends it.\n`)
}

/** `host:port`, or `name=host:port` where there are several. */
export function clustersOf(command: DashboardCommand): ClusterOptions[] {
  const { timeoutMs } = command
  const common = { tls: tlsOf(command), timeoutMs, ...credentialsOf(command) }
  return command.namesrvAddr.map(given => {
    const [, name, namesrvAddr] = /^([^=:;]+)=(.+)$/.exec(given) ?? [undefined, given, given]
    return { name: name!, namesrvAddr: namesrvAddr!, ...common }
  })
}
