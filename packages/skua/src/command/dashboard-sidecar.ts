import type { DashboardProcess } from '../dashboard-process.ts'
import { type DashboardKeys, defaultDashboardPort } from './dashboard-options.ts'
import { oneLine } from './fail.ts'

/** Where a dashboard is wanted. */
export interface DashboardWish {
  readonly port: number
  readonly host?: string | undefined
  readonly accounts?: string | undefined
  readonly maxStreams: number
  readonly maxStreamsPerUser: number
  /** Nobody named this port: where somebody else has it, there is none. */
  readonly isOptional: boolean
}

/** Named by a flag, by a key, or by nobody: then 8090, where it is free. Whoever takes any port for the broker wants none unless he says so. */
export function dashboardPlan(
  {
    dashboard,
    dashboardPort,
    port,
  }: { readonly dashboard?: boolean; readonly dashboardPort?: number; readonly port: number },
  keys: DashboardKeys,
): DashboardWish | undefined {
  const { dashboardPort: key } = keys
  if (dashboard === false) return undefined
  const named = dashboardPort ?? (key === 0 ? undefined : key)
  if (named === undefined && port === 0) return undefined
  return { ...commonOf(keys), port: named ?? defaultDashboardPort, isOptional: named === undefined }
}

/** As broker.conf says: without a port there is none. */
export const wishOf = (keys: DashboardKeys): DashboardWish | undefined =>
  keys.dashboardPort === 0 ? undefined : { ...commonOf(keys), port: keys.dashboardPort, isOptional: false }

const commonOf = (keys: DashboardKeys) => ({
  host: keys.dashboardBindAddress,
  accounts: keys.dashboardAccountsFile,
  maxStreams: keys.dashboardMaxStreams,
  maxStreamsPerUser: keys.dashboardMaxStreamsPerUser,
})

/** The dashboard beside a broker. One that does not start, or ends, is told of and takes nothing with it. */
export class DashboardSidecar {
  private readonly plan: DashboardWish | undefined
  private readonly tls: boolean
  private readonly store: string | undefined
  private opening: Promise<DashboardProcess | undefined> | undefined

  /** `store`: its directory; undefined is memory. */
  constructor({
    plan,
    tls,
    store,
  }: {
    readonly plan: DashboardWish | undefined
    readonly tls: boolean
    readonly store: string | undefined
  }) {
    this.plan = plan
    this.tls = tls
    this.store = store
  }

  /** Prints where it is. */
  async open(namesrvAddr: string): Promise<void> {
    if (this.plan === undefined) return
    this.opening = this.begin(this.plan, namesrvAddr)
    await this.opening
  }

  async stop(): Promise<void> {
    await (await this.opening)?.stop()
  }

  private async begin(plan: DashboardWish, namesrvAddr: string): Promise<DashboardProcess | undefined> {
    const { isOptional, ...wish } = plan
    const { store, tls } = this
    try {
      const { startDashboardProcess } = await import('../dashboard-process.ts')
      const dashboard = await startDashboardProcess({ namesrvAddr, ...wish, store, tls })
      process.stdout.write(`Dashboard: ${dashboard.url}\n`)
      return dashboard
    } catch (error) {
      const advice = isOptional ? ' (--dashboard-port takes another one, --no-dashboard none)' : ''
      process.stderr.write(`skua: no dashboard: ${oneLine(error)}${advice}\n`)
      return undefined
    }
  }
}
