import { type Config, int, port, text } from '@skua-mq/runtime'

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
  dashboardMaxStreams: int({
    default: 32,
    min: 1,
    help: 'live tails, searches and downloads of the dashboard that are open at a time',
  }),
  dashboardMaxStreamsPerUser: int({
    default: 16,
    min: 1,
    help: 'of these, of one user; without accounts everybody is one',
  }),
} as const
export type DashboardKeys = Config<typeof dashboardOptions>
