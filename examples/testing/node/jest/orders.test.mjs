import { afterEach, beforeEach, expect, test } from '@jest/globals'
import { startBroker } from '@skua-mq/testing'
import { OrderService } from '../order-service.mjs'

let broker
let service

beforeEach(async () => {
  broker = await startBroker({ clock: 'virtual', topics: ['Orders'] })
  service = new OrderService(broker.client)
  await service.start()
})

afterEach(async () => {
  await broker.clock.until(service.stop())
  await broker.stop()
})

test('an order is billed', async () => {
  await service.order({ id: 'a1', amount: 10 })
  await broker.expectDelivered({ group: 'billing', topic: 'Orders', value: { id: 'a1' } })
  expect(service.bills).toEqual(['a1'])
})

test('one for later is billed when it is due', async () => {
  await service.order({ id: 'a1', amount: 10 }, { delayMs: 2 * 86_400_000 })
  await broker.clock.advance('47h')
  expect(service.bills).toEqual([])
  await broker.clock.advance('1h')
  expect(service.bills).toEqual(['a1'])
})

test('one that nobody can pay is tried four times in all, and given up', async () => {
  await service.order({ id: 'a1', amount: -1 })
  await broker.clock.advance('1d')
  expect(broker.deliveries.filter(({ outcome }) => outcome === 'failed').length).toBe(4)
  await broker.expectDeadLetter({ group: 'billing', value: { id: 'a1' } })
})

test('a send whose answer is lost is tried again, so that the order may be there twice', async () => {
  broker.faults.dropAnswer({ request: 'send', topic: 'Orders', times: 1 })
  await broker.clock.until(service.order({ id: 'a1', amount: 10 }).catch(() => service.order({ id: 'a1', amount: 10 })))
  await broker.expectDelivered({ group: 'billing', key: 'a1', times: 2 })
})
