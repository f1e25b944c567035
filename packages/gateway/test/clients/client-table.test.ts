import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock, simRuntime } from '@skua-mq/runtime'
import type { GrpcClient } from '../../src/clients/client.ts'
import { ClientTable } from '../../src/clients/client-table.ts'
import { Membership } from '../../src/clients/membership.ts'
import { Questions } from '../../src/clients/questions.ts'
import type { User } from '../../src/clients/users.ts'
import type { CallContext } from '../../src/grpc/method.ts'

function setting() {
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
    left: async client => void left.push(client),
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
