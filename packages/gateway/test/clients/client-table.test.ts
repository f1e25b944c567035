import assert from 'node:assert/strict'
import { test } from 'node:test'
import { maxSqlLength } from '@skua-mq/protocol'
import { SimClock, simRuntime } from '@skua-mq/runtime'
import { bytesOf, type GrpcClient } from '../../src/clients/client.ts'
import { ClientTable } from '../../src/clients/client-table.ts'
import { Membership } from '../../src/clients/membership.ts'
import { Questions } from '../../src/clients/questions.ts'
import type { User } from '../../src/clients/users.ts'
import type { CallContext } from '../../src/grpc/method.ts'

function setting({ leaveMs = 0 } = {}) {
  const clock = new SimClock()
  const left: GrpcClient[] = []
  const clients = new ClientTable({
    ...{ clock, idleMs: 120_000, most: 10 },
    join: (clientId, language) =>
      new Membership({
        ...{ clientId, language, clock, tls: undefined, sign: undefined, onCheck: () => {} },
        questions: new Questions(clock),
        ...simRuntime({ seed: 1, host: 'gateway', clock }),
      }),
    left: async client => {
      if (leaveMs > 0) await new Promise<void>(resolve => clock.after(leaveMs, resolve))
      left.push(client)
    },
  })
  clients.start()
  return { clock, clients, left }
}

const context = (id: string) =>
  ({ header: (name: string) => (name === 'x-mq-client-id' ? id : undefined) }) as CallContext
const user = { account: '' } as User

test('a client that says nothing for two minutes is gone, though its stream is open: a machine that vanished closes none', async () => {
  const { clock, clients, left } = setting()
  const client = clients.get(context('silent'), user)
  const talking = clients.get(context('talking'), user)
  let ended: Error | undefined
  const stream = {
    end: (error?: Error) => {
      ended = error
    },
  }
  client.stream = stream as unknown as NonNullable<GrpcClient['stream']>
  for (let i = 0; i < 14; i++) {
    await clock.advanceAsync(10_000)
    clients.find(context('talking'), user)
  }
  assert.deepEqual(left, [client])
  assert.ok(client.hasLeft && !talking.hasLeft)
  assert.match(String(ended), /nothing was heard/)
  await clients.stop()
})

test('a client is known by its account and its id together', async () => {
  const { clients } = setting()
  const mine = clients.get(context('id'), { account: 'mine' } as User)
  assert.equal(clients.find(context('id'), { account: 'other' }), undefined)
  assert.notEqual(clients.get(context('id'), { account: 'other' } as User), mine)
  assert.equal(clients.find(context('id'), { account: 'mine' }), mine)
  await clients.stop()
})

test('more clients than grpcMaxClients are told so; those that are here stay, and one that leaves makes room', async () => {
  const { clients } = setting()
  const all = Array.from({ length: 10 }, (_, n) => clients.get(context(`c${n}`), user))
  assert.throws(() => clients.get(context('one more'), user), /grpcMaxClients/)
  assert.equal(clients.get(context('c0'), user), all[0])
  await clients.end(all[0]!)
  assert.ok(clients.get(context('one more'), user))
  await clients.stop()
})

test('a stop is over when all that clients held is given back', async () => {
  const { clock, clients, left } = setting({ leaveMs: 3000 })
  const all = ['a', 'b'].map(id => clients.get(context(id), user))
  const leaving = clients.end(all[0]!)
  await clock.until(clients.stop())
  assert.deepEqual(left, all)
  await leaving
})

test('what settings of all clients take is bounded, and who leaves makes room', async () => {
  const { clients } = setting()
  const settings = (expression: string) => ({
    clientType: 3,
    subscription: {
      group: { name: 'G' },
      subscriptions: [{ topic: { name: 'T' }, expression: { type: 1, expression } }],
    },
  })
  const first = clients.get(context('first'), user)
  const take = (client: GrpcClient, expression: string) => clients.set(client, settings(expression) as never)
  assert.throws(() => take(first, 'x'.repeat(maxSqlLength + 1)), { name: 'Refused' })
  take(first, 'x'.repeat(maxSqlLength))
  assert.equal(first.bytes, bytesOf(settings('x'.repeat(maxSqlLength)) as never))
  const many = {
    subscription: {
      group: { name: 'G' },
      subscriptions: Array(8).fill(settings('x'.repeat(60_000)).subscription.subscriptions[0]),
    },
  }
  assert.throws(() => clients.set(first, many as never), /settings of \d+ bytes/)
  assert.equal(clients.settingsBytes, first.bytes)
  const second = clients.get(context('second'), user)
  take(second, 'a || b')
  take(second, 'a')
  assert.equal(clients.settingsBytes, first.bytes + second.bytes)
  await clients.end(first)
  assert.equal(clients.settingsBytes, second.bytes)
  await clients.stop()
  assert.equal(clients.settingsBytes, 0)
})
