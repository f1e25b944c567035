import { type Config, port, text } from '@skua-mq/runtime'

/** Port of the dashboard of `npm start` and `skua dashboard`. */
export const defaultDashboardPort = 8090

/** Keys of the dashboard in broker.conf; there it is off by default. */
export const dashboardOptions = {
  dashboardPort: port({ default: 0, help: 'port of the dashboard, served by a process beside the broker; 0: none' }),
  dashboardBindAddress: text({
    default: '127.0.0.1',
    help: 'address on which the dashboard listens; any other than loopback needs dashboardAccountsFile',
  }),
  dashboardAccountsFile: text({
    default: '',
    help: 'accounts of the dashboard, a line each, as skua dashboard-account makes them; empty: this machine only, without a sign-in',
  }),
} as const
export type DashboardKeys = Config<typeof dashboardOptions>
