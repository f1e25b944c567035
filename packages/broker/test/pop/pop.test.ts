import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from '../world.ts'
import { Popper, texts } from './popper.ts'

async function world(config = {}) {
  const it = await new World(config).start()
  const producer = it.client('producer')
  const popper = new Popper(it.client('consumer'))
  return { it, producer, popper }
}

test('what is popped is invisible for its time, comes again behind it, and never again once it is acknowledged', async () => {
  const { it, producer, popper } = await world()
  for (const text of ['a', 'b', 'c']) await producer.send('T', text, { queueId: 1 })
  const first = await popper.pop({ invisibleTime: 10_000 })
  assert.deepEqual(texts(first), ['a', 'b', 'c'])
  assert.deepEqual(await popper.pop(), [], 'invisible')
  assert.equal(await popper.ack(first[1]!), 0)
  await it.pass(9_500)
  assert.deepEqual(await popper.pop(), [], 'still invisible')
  await it.pass(1500)
  const second = await popper.pop({ invisibleTime: 10_000 })
  assert.deepEqual(texts(second), ['a', 'c'])
  assert.deepEqual([...new Set(second.map(({ message }) => message.reconsumeTimes))], [1])
  assert.deepEqual([...new Set(second.map(({ message }) => message.topic))], ['T'], 'as its consumer knows it')
  for (const popped of second) assert.equal(await popper.ack(popped), 0)
  await it.pass(60_000)
  assert.deepEqual(await popper.pop(), [])
  await it.stop()
})
