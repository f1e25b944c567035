import assert from 'node:assert/strict'
import { test } from 'node:test'
import { addWritePermOfBroker, wipeWritePermOfBroker } from '@skua-mq/protocol'
import { type NameServerParts, RegistrationIntake, RouteTable } from '../src/index.ts'
import { registrationRoutes } from '../src/registration-routes.ts'
import { body, registration, topic } from './brokers.ts'
import { askLater } from './harness.ts'

test('205 and 327 change the write bit of very many topics some in a turn, and count all of them', async () => {
  let turns = 0
  const after = (_ms: number, run: () => void) => {
    turns++
    setImmediate(run)
    return { cancel: () => {} }
  }
  const table = new RouteTable()
  const topics = Array.from({ length: 4500 }, (_, i) => topic(`Topic-${i}`))
  table.register(registration({ body: body(topics) }), 0)
  const clock = { after, now: () => 0, monotonic: () => 0 }
  const intake = new RegistrationIntake({ routes: table, clock, limits: { maxTopics: 10_000, maxBrokers: 10 } })
  const routes = registrationRoutes({ routes: table, intake, clock } as unknown as NameServerParts)
  const permOfLast = () => table.routeOf('Topic-4499')?.queueDatas[0]?.perm
  const wiped = await askLater(routes, wipeWritePermOfBroker, { brokerName: 'b1' })
  assert.deepEqual([wiped.header, permOfLast(), turns], [{ wipeTopicCount: 4500 }, 4, 4])
  const added = await askLater(routes, addWritePermOfBroker, { brokerName: 'b1' })
  assert.deepEqual([added.header, permOfLast(), turns], [{ addTopicCount: 4500 }, 6, 8])
})
