import assert from 'node:assert/strict'
import { test } from 'node:test'
import { registerFilterServer } from '@skua-mq/protocol'
import { SimClock } from '@skua-mq/runtime'
import { FilterServers, filterServerExpiryMs, maxFilterServers } from '../../src/filter-server/filter-servers.ts'
import { filterServerRoutes } from '../../src/filter-server/routes.ts'
import { ask, TestConnection } from '../harness.ts'

function table() {
  const clock = new SimClock()
  const servers = new FilterServers(clock)
  let changes = 0
  servers.onChange(() => changes++)
  const routes = filterServerRoutes(servers, { brokerName: 'b', brokerId: 0 })
  const register = (connection: TestConnection, filterServerAddr: string) =>
    ask(routes, registerFilterServer, { filterServerAddr }, { connection })
  return { clock, servers, register, changes: () => changes }
}

test('a filter server is listed once however often it registers, is told its broker, and is gone with its connection', async () => {
  const { servers, register, changes } = table()
  const [a, b] = [new TestConnection(), new TestConnection()]
  assert.deepEqual((await register(a, '10.0.0.1:1')).header, { brokerName: 'b', brokerId: 0 })
  await register(a, '10.0.0.1:1')
  await register(b, '10.0.0.1:2')
  assert.deepEqual(servers.addresses, ['10.0.0.1:1', '10.0.0.1:2'])
  a.close()
  assert.deepEqual(servers.addresses, ['10.0.0.1:2'])
  assert.equal(changes(), 3, 'name servers are told of each change and of nothing else')
})

test('a filter server that is silent for more than 30 s is forgotten, one that registers goes on', async () => {
  const { clock, servers, register } = table()
  const [silent, alive] = [new TestConnection(), new TestConnection()]
  await register(silent, '10.0.0.1:1')
  await register(alive, '10.0.0.1:2')
  clock.advance(filterServerExpiryMs)
  await register(alive, '10.0.0.1:2')
  servers.expire()
  assert.equal(servers.addresses.length, 2)
  clock.advance(1)
  servers.expire()
  assert.deepEqual(servers.addresses, ['10.0.0.1:2'])
  assert.equal(silent.open, false)
})

test('what a peer registers cannot make the registrations of the broker too large for the name servers', async () => {
  const { servers, register, changes } = table()
  for (const address of [`${'h'.repeat(70_000)}:1`, 'h', '', 'h:port', 'h "x":1']) {
    const { code, remark } = await register(new TestConnection(), address)
    assert.deepEqual([code, /host:port/.test(remark ?? '')], [1, true])
  }
  assert.equal(changes(), 0)
  for (let i = 0; i < maxFilterServers; i++)
    assert.equal((await register(new TestConnection(), `[2001:db8::1]:${i + 1}`)).code, 0)
  assert.equal((await register(new TestConnection(), '10.0.0.1:1')).code, 1)
  assert.equal(servers.addresses.length, maxFilterServers)
})
