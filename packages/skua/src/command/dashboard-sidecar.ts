import type { DashboardProcess } from '../dashboard-process.ts'
import { type DashboardKeys, defaultDashboardPort } from './dashboard-options.ts'
import { oneLine } from './fail.ts'

/** Where a dashboard is wanted. */
export interface DashboardWish {
  readonly port: number
  readonly host?: string | undefined
  readonly accounts?: string | undefined
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
  { dashboardPort: key, dashboardBindAddress: host, dashboardAccountsFile: accounts }: DashboardKeys,
): DashboardWish | undefined {
  if (dashboard === false) return undefined
  const named = dashboardPort ?? (key === 0 ? undefined : key)
  if (named === undefined && port === 0) return undefined
  return { port: named ?? defaultDashboardPort, host, accounts, isOptional: named === undefined }
}

/** As broker.conf says: without a port there is none. */
export const wishOf = ({
  dashboardPort: port,
  dashboardBindAddress: host,
  dashboardAccountsFile: accounts,
}: DashboardKeys): DashboardWish | undefined => (port === 0 ? undefined : { port, host, accounts, isOptional: false })

/** The dashboard beside a broker. One that does not start, or ends, is told of and takes nothing with it. */
export class DashboardSidecar {
  private readonly plan: DashboardWish | undefined
  private readonly tls: boolean
  private opening: Promise<DashboardProcess | undefined> | undefined

  constructor({ plan, tls }: { readonly plan: DashboardWish | undefined; readonly tls: boolean }) {
    this.plan = plan
    this.tls = tls
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
    const { port, host, accounts, isOptional } = plan
    try {
      const { startDashboardProcess } = await import('../dashboard-process.ts')
      const dashboard = await startDashboardProcess({ namesrvAddr, port, host, accounts, tls: this.tls })
      process.stdout.write(`Dashboard: ${dashboard.url}\n`)
      return dashboard
    } catch (error) {
      const advice = isOptional ? ' (--dashboard-port takes another one, --no-dashboard none)' : ''
      process.stderr.write(`skua: no dashboard: ${oneLine(error)}${advice}\n`)
      return undefined
    }
  }
}
