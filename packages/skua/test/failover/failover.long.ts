import { test } from 'node:test'
import { withoutEtcd } from './etcd.ts'
import { FailoverRun } from './failover-run.ts'

/** SKUA_FAILOVER_KILLS: processes that are killed; 100 of them take some 30 minutes. */
const kills = Number(process.env['SKUA_FAILOVER_KILLS'] ?? 100)

test(
  `${kills} masters, followers and name servers of two names killed with -9: nothing acknowledged is lost`,
  {
    skip: withoutEtcd() ?? false,
    timeout: 300_000 + kills * 60_000,
  },
  t => FailoverRun.run(t, { names: ['a', 'b'], nameServers: 2, kills }),
)
