import assert from 'node:assert/strict'
import { test } from 'node:test'
import { orderInfoFile, queryConsumerOffset } from '@skua-mq/protocol'
import { maxOrderInfos, type OrderPlace, OrderTable } from '../../src/pop/order-table.ts'
import { machine } from '../harness.ts'
import { World } from '../world.ts'
import { PopMachine } from './pop-machine.ts'
import { Popper, texts } from './popper.ts'

const order = true
const invisibleTime = 5000

async function world(count = 4) {
  const it = await new World().start()
  const popper = new Popper(it.client('consumer'))
  for (let n = 0; n < count; n++) await popper.peer.send('T', `m${n}`, { queueId: 0 })
  const offset = async () => {
    const asked = { consumerGroup: 'g', topic: 'T', queueId: 0 }
    return (await popper.peer.ask(queryConsumerOffset, asked)).header?.offset
  }
  return { it, popper, offset }
}

test('a queue that is popped in order is blocked until all is acknowledged, and goes on behind it', async () => {
  const { it, popper, offset } = await world()
  const first = await popper.pop({ order, invisibleTime, maxMsgNums: 2 })
  assert.deepEqual(
    first.map(({ text }) => text),
    ['m0', 'm1'],
  )
  assert.equal(first[0]!.handle.split(' ')[3], '999')
  const other = new Popper(it.client('other'))
  assert.deepEqual(await other.pop({ order, invisibleTime }), [])
  assert.equal(await popper.ack(first[1]!), 0)
  assert.equal(await offset(), 0)
  assert.deepEqual(await other.pop({ order, invisibleTime }), [], 'the first one is open')
  assert.equal(await popper.ack(first[0]!), 0)
  assert.equal(await offset(), 2)
  assert.deepEqual(texts(await other.pop({ order, invisibleTime })), ['m2', 'm3'])
  await it.stop()
})

test('what is open when its time is over comes again from the first open one on, and says how often it came', async () => {
  const { it, popper } = await world()
  const first = await popper.pop({ order, invisibleTime, maxMsgNums: 2 })
  assert.equal(await popper.ack(first[0]!), 0)
  await it.pass(invisibleTime + 10)
  const reply = await popper.ask({ order, invisibleTime, maxMsgNums: 2 })
  assert.equal(reply.header?.msgOffsetInfo, '0 0 1,2')
  assert.equal(reply.header?.orderCountInfo, '0 qo0%1 1;0 0 0')
  assert.equal(await popper.ack(first[1]!), 0, 'of the pop before: counts nothing')
  await it.pass(invisibleTime + 10)
  const third = await popper.ask({ order, invisibleTime, maxMsgNums: 2 })
  assert.equal(third.header?.orderCountInfo, '0 qo0%1 2;0 qo0%2 1;0 0 1')
  await it.stop()
})

test('the same attempt is given the same again, and does not count twice', async () => {
  const { it, popper } = await world()
  const wish = { order, invisibleTime, maxMsgNums: 2, attemptId: 'a-1' }
  assert.deepEqual(texts(await popper.pop(wish)), ['m0', 'm1'])
  const again = await popper.ask(wish)
  assert.deepEqual([again.header?.msgOffsetInfo, again.header?.orderCountInfo], ['0 0 0,1', '0 0 0'])
  assert.deepEqual(await popper.pop({ ...wish, attemptId: 'a-2' }), [])
  await it.stop()
})

test('a held pop goes on when the queue is free: by an acknowledgement, and by time', async () => {
  const { it, popper } = await world()
  const [first] = await popper.pop({ order, invisibleTime, maxMsgNums: 1 })
  const waiting = popper.remoteAsk({ order, invisibleTime, maxMsgNums: 1, pollTime: 15_000 })
  await it.pass(1000)
  await popper.ack(first!)
  await it.pass(10)
  assert.equal((await it.settle(waiting)).header?.msgOffsetInfo, '0 0 1')
  const begun = it.runtime.clock.now()
  const next = await popper.ask({ order, invisibleTime, maxMsgNums: 1, pollTime: 15_000 })
  assert.equal(next.header?.msgOffsetInfo, '0 0 1')
  const waited = it.runtime.clock.now() - begun
  assert.ok(waited > invisibleTime - 100 && waited < invisibleTime + 100, `${waited} ms`)
  await it.stop()
})

test('a change of the invisible time of one message keeps the queue blocked for longer', async () => {
  const { it, popper } = await world()
  const [first] = await popper.pop({ order, invisibleTime, maxMsgNums: 1 })
  await popper.change(first!, 20_000)
  await it.pass(10_000)
  assert.deepEqual(await popper.pop({ order, invisibleTime }), [])
  await it.pass(10_100)
  assert.equal(texts(await popper.pop({ order, invisibleTime })).length, 4)
  await it.stop()
})

test('a restart, and a kill after some seconds, know what is taken in order', async () => {
  for (const isKill of [false, true]) {
    const host = new PopMachine(5)
    await host.boot()
    const popper = new Popper(host.client('member'))
    for (let n = 0; n < 3; n++) await popper.peer.send('T', `m${n}`, { queueId: 0 })
    const first = await popper.pop({ order, invisibleTime: 30_000, maxMsgNums: 2 })
    assert.equal(await popper.ack(first[0]!), 0)
    await host.clock.advanceAsync(isKill ? 6000 : 10)
    if (!isKill) await host.settle(host.broker.stop())
    host.kill()
    await host.boot()
    const again = new Popper(host.client('member'))
    assert.deepEqual(await again.pop({ order, invisibleTime: 30_000 }), [])
    assert.equal(await again.ack(first[1]!), 0)
    assert.deepEqual(texts(await again.pop({ order, invisibleTime: 30_000 })), ['m2'])
    await host.settle(host.broker.stop())
  }
})

test('the file is RocketMQ’s, byte for byte', () => {
  // As 5.3.3 wrote it.
  const text = `{
	"table":{
		"Ordered@og":{0:{
				"a":"a-3",
				"cm":0,
				"i":5000,
				"l":1795955798648,
				"o":[
					1,
					1
				],
				"oc":{1:1
				},
				"ot":{1:1795955858662
				},
				"popTime":1795955798646
			}
		}
	}
}`
  assert.equal(orderInfoFile.encode(orderInfoFile.decode(Buffer.from(text))).toString(), text)
})

test('what is popped in order while the file is written is written with the next', async () => {
  const on = machine()
  const path = '/store/config/consumerOrderInfo.json'
  const table = () => new OrderTable({ clock: on.clock, file: on.file(path, orderInfoFile), intervalMs: () => 5000 })
  const orders = table()
  orders.start()
  const take = (queueId: number) =>
    orders.take(
      { topic: 'T', group: 'g', queueId },
      { attemptId: undefined, popTime: 1, invisibleTime: 2, offsets: [3] },
    )
  take(0)
  on.disk.faults.slow({ on: 'sync', ms: 500, path: 'consumerOrderInfo' })
  await on.clock.advanceAsync(5100)
  take(1)
  await on.clock.advanceAsync(12_000)
  const written = orderInfoFile.decode(on.disk.readFile(path))
  assert.deepEqual([...written.table.get('T@g')!.keys()], [0, 1])
  orders.stop()
})

test('of more than maxOrderInfos queues the one that was taken from longest ago is forgotten', () => {
  const on = machine()
  const file = on.file('/store/config/consumerOrderInfo.json', orderInfoFile)
  const orders = new OrderTable({ clock: on.clock, file, intervalMs: () => 5000 })
  const nowMs = on.clock.now()
  const place = (n: number) => ({ topic: `T${n}`, group: 'g', queueId: 0 })
  const take = (n: number) =>
    orders.take(place(n), { attemptId: undefined, popTime: nowMs, invisibleTime: 5000, offsets: [3] })
  for (let n = 0; n < maxOrderInfos; n++) take(n)
  take(0)
  take(maxOrderInfos)
  const isBlocked = (n: number) => orders.freeAt(place(n), undefined) > nowMs
  assert.deepEqual([0, 1, 2, maxOrderInfos].map(isBlocked), [true, false, true, true])
})

test('a pop of 32 messages has bits for all of them', () => {
  const { clock, file } = machine()
  const orders = new OrderTable({ clock, file: file('/orders.json', orderInfoFile), intervalMs: () => 5000 })
  const place = { topic: 'T', group: 'g', queueId: 0 }
  const offsets = Array.from({ length: 32 }, (_, at) => 100 + 2 * at)
  orders.take(place, { attemptId: undefined, popTime: 7, invisibleTime: 1000, offsets })
  for (const offset of offsets.slice(1)) assert.deepEqual(orders.ack(place, offset, 7), { next: 100 })
  assert.deepEqual(orders.ack(place, 100, 7), { next: 163 })
  assert.deepEqual(orders.ack(place, 101, 7), 'not of this pop')
  assert.deepEqual(orders.ack(place, 100, 8), 'of another pop')
  orders.stop()
  const second = new OrderTable({ clock, file: file('/orders.json', orderInfoFile), intervalMs: () => 5000 })
  second.load()
  assert.equal(second.freeAt(place, undefined), 0)
})

for (const stepMs of [-20 * 24 * 3_600_000, 20 * 24 * 3_600_000])
  test(`a clock that is set by ${stepMs} ms neither blocks a queue that is taken in order for longer nor frees it`, async () => {
    const { clock, file } = machine()
    const make = () => new OrderTable({ clock, file: file('/orders.json', orderInfoFile), intervalMs: () => 5000 })
    const orders = make()
    const [place, changed] = [0, 1].map(queueId => ({ topic: 'T', group: 'g', queueId })) as [OrderPlace, OrderPlace]
    const popTime = clock.now()
    for (const one of [place, changed])
      orders.take(one, { attemptId: undefined, popTime, invisibleTime: 1000, offsets: [3] })
    clock.step(stepMs)
    orders.change(changed, 3, { popTime, visibleAtMs: clock.now() + 3000 })
    assert.equal(orders.freeAt(place, undefined) - clock.now(), 1000)
    assert.equal(orders.freeAt(changed, undefined) - clock.now(), 3000)
    await clock.advanceAsync(1000)
    assert.ok(orders.freeAt(place, undefined) <= clock.now())
    assert.equal(orders.freeAt(changed, undefined) - clock.now(), 2000)
    orders.expire()
    assert.equal(orders.freeAt(changed, undefined) - clock.now(), 2000, 'nor is it forgotten')
    orders.stop()
    if (stepMs > 0) return
    // What a start reads is of a time that is yet to come.
    const again = make()
    again.load()
    const waitMs = again.freeAt(place, undefined) - clock.now()
    assert.ok(waitMs > 0 && waitMs <= 1000)
  })
