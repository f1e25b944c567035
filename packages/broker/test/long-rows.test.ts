import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  cloneGroupOffset,
  consumerOffsetFile,
  getAllProducerInfo,
  getConsumerConnectionList,
  getProducerConnectionList,
  queryCorrectionOffset,
} from '@skua-mq/protocol'
import { connectionRoutes } from '../src/client-table/connection-routes.ts'
import { ConsumerGroups } from '../src/client-table/consumer-groups.ts'
import { ProducerGroups } from '../src/client-table/producer-groups.ts'
import { OffsetTable } from '../src/offset/offset-table.ts'
import { offsetRoutes } from '../src/offset/routes.ts'
import { ask, bodyOf, consumerData, machine, TestConnection } from './harness.ts'

const many = 20_000

/** Counts the turns that are waited for. */
function world() {
  const on = machine()
  const turns = { count: 0 }
  const after = (ms: number, run: () => void) => {
    turns.count++
    return on.clock.after(ms, run)
  }
  return { ...on, turns, clock: Object.assign(Object.create(on.clock), { after }) as typeof on.clock }
}

test('308 and 314 look at some of a group’s very many offsets in a turn', async () => {
  const { clock, events, file, turns } = world()
  const offsets = new OffsetTable({
    ...{ clock, events, file: file('/store/config/o.json', consumerOffsetFile), intervalMs: () => 5000 },
  })
  for (let queueId = 0; queueId < many; queueId++)
    offsets.commit({ group: 'g', topic: 't', queueId, offset: 7, who: 'test' })
  const store = { minOffset: () => 0 } as never
  const routes = offsetRoutes({ offsets, clock, store, hasTopic: () => true })
  turns.count = 0
  const header = { filterGroups: '', compareGroup: 'other', topic: 't' }
  const reply = await clock.until(ask(routes, queryCorrectionOffset, header))
  assert.equal(bodyOf(queryCorrectionOffset, reply).correctionOffsets.size, many)
  assert.ok(turns.count >= 10, `${turns.count} turns`)
  turns.count = 0
  await clock.until(ask(routes, cloneGroupOffset, { srcGroup: 'g', destGroup: 'copy', topic: 't', offline: true }))
  assert.ok(turns.count >= 9, `${turns.count} turns`)
  assert.equal(offsets.ofTopic('copy', 't').size, many)
})

test('203, 204 and 328 tell of very many members over many turns', async () => {
  const { clock, events, turns } = world()
  const producers = new ProducerGroups(clock)
  const consumers = new ConsumerGroups({ clock, events, notify: () => {} })
  for (let i = 0; i < many; i++) {
    const client = { clientId: `client-${i}`, connection: new TestConnection(), language: 0, version: 409 }
    producers.register('all', client)
    producers.register(`group-${i}`, client)
    consumers.register(consumerData('all', []), client, false)
  }
  const routes = connectionRoutes({ consumers, producers, clock })
  const turnsOf = async (asked: Promise<unknown>) => {
    turns.count = 0
    await clock.until(asked)
    return turns.count
  }
  const consumersAsked = ask(routes, getConsumerConnectionList, { consumerGroup: 'all' })
  assert.ok((await turnsOf(consumersAsked)) >= 10)
  assert.equal(bodyOf(getConsumerConnectionList, await consumersAsked).connectionSet.length, many)
  const producersAsked = ask(routes, getProducerConnectionList, { producerGroup: 'all' })
  assert.ok((await turnsOf(producersAsked)) >= 10)
  assert.equal(bodyOf(getProducerConnectionList, await producersAsked).connectionSet.length, many)
  const allAsked = ask(routes, getAllProducerInfo, {})
  assert.ok((await turnsOf(allAsked)) >= 10)
  assert.equal(bodyOf(getAllProducerInfo, await allAsked).data.size, many + 1)
})
