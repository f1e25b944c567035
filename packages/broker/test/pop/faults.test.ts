import assert from 'node:assert/strict'
import { test } from 'node:test'
import { World } from '../world.ts'
import { Popper, texts } from './popper.ts'

/** The next write of the log fails, and no other. */
const failOnce = ({ runtime }: World) =>
  runtime.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 })

async function world(config = {}) {
  const it = await new World(config).start()
  const popper = new Popper(it.client('consumer'))
  await popper.peer.send('T', 'one', { queueId: 0 })
  return { it, popper }
}

test('a pop whose check point cannot be written is refused, and its messages are popped by the next', async () => {
  const { it, popper } = await world()
  failOnce(it)
  assert.equal((await popper.ask()).code, 2)
  await it.pass(10_000)
  assert.deepEqual(texts(await popper.pop()), ['one'])
  await it.stop()
})

test('an acknowledgement that cannot be written is not answered with 0, and its message comes again', async () => {
  const { it, popper } = await world()
  const [popped] = await popper.pop({ invisibleTime: 5000 })
  failOnce(it)
  assert.notEqual(await popper.ack(popped!), 0)
  await it.pass(15_000)
  const again = await popper.pop({ invisibleTime: 5000 })
  assert.deepEqual(texts(again), ['one'])
  assert.equal(await popper.ack(again[0]!), 0)
  await it.stop()
})

test('a change of the invisible time that cannot be written changes nothing', async () => {
  const { it, popper } = await world()
  const [popped] = await popper.pop({ invisibleTime: 20_000 })
  failOnce(it)
  await assert.rejects(popper.change(popped!, 60_000))
  await it.pass(10_000)
  assert.equal(await popper.ack(popped!), 0, 'its handle is good')
  await it.pass(60_000)
  assert.deepEqual(await popper.pop(), [])
  await it.stop()
})

test('a message that cannot be laid into the retry topic now is laid there later, once', async () => {
  const { it, popper } = await world()
  await popper.pop({ invisibleTime: 5000 })
  await it.pass(4900)
  failOnce(it)
  await it.pass(30_000)
  assert.deepEqual(texts(await popper.pop({ invisibleTime: 60_000 })), ['one'])
  await it.pass(30_000)
  assert.deepEqual(await popper.pop(), [])
  await it.stop()
})

test('pops beyond what may be held are told so at once, and nobody else is', async () => {
  const { it, popper } = await world({ popPollingSize: 2, maxPopPollingSize: 3 })
  for (const popped of await popper.pop()) await popper.ack(popped)
  const answered: number[] = []
  const hold = (group: string) =>
    void new Popper(it.client(`m${group}${answered.length}`), 'T', group)
      .remoteAsk({ pollTime: 10_000 })
      .then(({ code }) => answered.push(code))
  await new Popper(popper.peer, 'T', 'h').pop()
  for (const group of ['g', 'g', 'g']) hold(group)
  await it.pass(1000)
  assert.deepEqual(answered, [209], 'two of a group')
  for (const group of ['h', 'h']) hold(group)
  await it.pass(1000)
  assert.deepEqual(answered, [209, 209], 'three in all')
  await it.pass(12_000)
  assert.deepEqual(answered, [209, 209, 210, 210, 210])
  await it.stop()
})

test('a message wakes one of each of six hundred groups, over several turns', async () => {
  const { it, popper } = await world()
  let answered = 0
  for (let n = 0; n < 600; n++) {
    const member = new Popper(popper.peer, 'T', `g${n}`)
    for (const popped of await member.pop()) await member.ack(popped)
    void member.remoteAsk({ pollTime: 60_000 }).then(({ code }) => {
      if (code === 0) answered++
    })
  }
  await it.pass(100)
  await popper.peer.send('T', 'news', { queueId: 0 })
  await it.pass(100)
  assert.equal(answered, 600)
  await it.stop()
})
