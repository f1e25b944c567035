import assert from 'node:assert/strict'
import { demoteBroker, getBrokerConfig, promoteBroker } from '@skua-mq/protocol'
import { Cluster, type Role } from './cluster.ts'

export const sync = { brokerRole: 'SYNC_MASTER' } as const

/** A SYNC_MASTER and slaves that have all, and time in which they are connected. */
export async function pair(...slaves: readonly ('slave' | 'further')[]): Promise<Cluster> {
  const cluster = await new Cluster().start()
  await cluster.startBroker('master', sync)
  for (const slave of slaves) await cluster.startBroker(slave)
  await cluster.pass(35_000)
  assert.equal((await cluster.send('master', 'before')).code, 0)
  return cluster
}

/** Events whose names are like this. */
export const told = (cluster: Cluster, name: RegExp) => cluster.events.filter(event => name.test(event.name))

export const promote = (cluster: Cluster, role: Role, header: object = {}) =>
  cluster.ask(role, promoteBroker, { force: false, ...header } as never)

export const demote = (cluster: Cluster, role: Role, header: object = {}) =>
  cluster.ask(role, demoteBroker, { brokerId: 1, waitMs: 2000, force: false, ...header } as never)

export async function roleOf(cluster: Cluster, role: Role): Promise<string> {
  const { body } = await cluster.ask(role, getBrokerConfig, {} as never)
  return /^brokerRole=(.*)$/m.exec(Buffer.from(body!).toString())![1]!
}
