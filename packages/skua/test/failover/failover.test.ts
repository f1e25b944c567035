import { test } from 'node:test'
import { withoutEtcd } from './etcd.ts'
import { FailoverRun } from './failover-run.ts'

test(
  'a master killed with -9 on a real etcd, and its directory gone: another one goes on by itself, and nothing acknowledged is lost',
  {
    skip: withoutEtcd() ?? false,
    timeout: 180_000,
  },
  t => FailoverRun.run(t, { names: ['a'], nameServers: 1, kills: 1 }),
)
