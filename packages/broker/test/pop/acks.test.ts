import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  ackMessage,
  batchAckMessage,
  changeMessageInvisibleTime,
  parseExtraInfo,
  ResponseCode,
} from '@skua-mq/protocol'
import { maxBatchAcks } from '../../src/pop/ack-handler.ts'
import { maxInvisibleMs } from '../../src/pop/pop-handler.ts'
import { World } from '../world.ts'
import { type Popped, Popper, texts } from './popper.ts'

async function world(config = {}, count = 1) {
  const it = await new World(config).start()
  const popper = new Popper(it.client('consumer'))
  for (let n = 0; n < count; n++) await popper.peer.send('T', `m${n}`, { queueId: 0 })
  return { it, popper }
}

const placeOf = ({ handle }: Popped, changes: { queueId?: number; offset?: number } = {}) => {
  const { queueId, queueOffset } = parseExtraInfo(handle)!
  return { consumerGroup: 'g', topic: 'T', queueId, offset: queueOffset!, extraInfo: handle, ...changes }
}

const entryOf = ({ handle }: Popped, changes: Record<string, unknown> = {}) => {
  const {
    startOffset: so,
    popTime: pt,
    invisibleTime: it,
    reviveQid: rq,
    mark: r,
    queueId: q,
  } = parseExtraInfo(handle)!
  return { ...{ c: 'g', t: 'T', r, so, q, rq, pt, it, b: Buffer.from([1]).toString('base64') }, ...changes } as never
}

test('the invisible time of a change has the same end as that of a pop', async () => {
  const { it, popper } = await world()
  const [popped] = await popper.pop()
  const change = (invisibleTime: number) =>
    popper.peer.ask(changeMessageInvisibleTime, { ...placeOf(popped!), invisibleTime })
  const wrong = await change(maxInvisibleMs + 1)
  assert.notEqual(wrong.code, 0)
  assert.match(wrong.remark ?? '', /invisibleTime/)
  assert.equal((await change(maxInvisibleMs)).code, 0)
  await it.stop()
})

test('an acknowledgement of a queue that is not there, or of an offset that nobody wrote, says so', async () => {
  const { it, popper } = await world()
  const [popped] = await popper.pop()
  const ask = async (changes: { queueId?: number; offset?: number }) =>
    (await popper.peer.ask(ackMessage, placeOf(popped!, changes))).remark ?? ''
  assert.match(await ask({ queueId: 99 }), /queueId 99 is out of range/)
  assert.match(await ask({ queueId: -1 }), /queueId -1 is out of range/)
  assert.match(await ask({ offset: 2 }), /offset 2/)
  assert.equal(await popper.ack(popped!), 0)
  await it.stop()
})

test('a batch of more entries than maxBatchAcks, or of none, is refused as a whole', async () => {
  const { it, popper } = await world()
  const [popped] = await popper.pop({ invisibleTime: 5000 })
  const batch = (length: number) => {
    const acks = Array.from({ length }, () => entryOf(popped!))
    return popper.peer.ask(batchAckMessage, {}, { brokerName: 'broker-a', acks })
  }
  assert.match((await batch(maxBatchAcks + 1)).remark ?? '', /4097 entries, at most 4096/)
  assert.notEqual((await batch(0)).code, 0)
  await it.pass(10_000)
  const [again] = await popper.pop()
  assert.equal(again?.text, 'm0', 'nothing of it counts')
  assert.equal((await batch(maxBatchAcks)).code, 0)
  await it.stop()
})

test('a batch is refused where any of its entries is', async () => {
  const { it, popper } = await world({}, 2)
  const [first, second] = await popper.pop({ maxMsgNums: 1 }).then(async one => [...one, ...(await popper.pop())])
  // Of a pop from before the start of which nothing is known: it may come again.
  const lost = entryOf(first!, { pt: it.runtime.clock.now() - 30_000, it: 60_000 })
  const code = async (...acks: never[]) =>
    (await popper.peer.ask(batchAckMessage, {}, { brokerName: 'broker-a', acks })).code
  assert.notEqual(await code(lost, entryOf(second!)), 0)
  assert.notEqual(await code(entryOf(first!), lost), 0)
  assert.equal(await code(entryOf(first!), entryOf(second!)), 0)
  await it.stop()
})

test('changes of messages that were popped together make no more check points than there is room for', async () => {
  const { it, popper } = await world({ maxPopCheckPointBytes: 2048 }, 32)
  const popped = await popper.pop({ invisibleTime: 5000 })
  assert.equal(popped.length, 32)
  const ask = (one: Popped) => popper.peer.ask(changeMessageInvisibleTime, { ...placeOf(one), invisibleTime: 10_000 })
  const codes: number[] = []
  for (const one of popped) codes.push((await ask(one)).code)
  const taken = codes.filter(code => code === 0).length
  assert.ok(taken > 0 && taken < 8, `${taken} changes were taken`)
  assert.equal(codes.at(-1), ResponseCode.systemBusy)
  await it.pass(12_000)
  assert.ok((await popper.pop()).length > 0, 'what was not changed comes at its time')
  await it.stop()
})

test('while an acknowledgement is written its message cannot be changed, and does not come again', async () => {
  const { it, popper } = await world({ flushDiskType: 'SYNC_FLUSH' })
  const [popped] = await popper.pop({ invisibleTime: 20_000 })
  const quick = it.runtime.disk.faults.slow({ on: 'sync', ms: 500, path: 'commitlog' })
  const ask = { timeoutMs: 60_000 }
  const acking = popper.peer.remoting.request(it.address, ackMessage, placeOf(popped!), ask)
  await it.pass(100)
  const changing = popper.peer.remoting.request(
    it.address,
    changeMessageInvisibleTime,
    { ...placeOf(popped!), invisibleTime: 5000 },
    ask,
  )
  await it.pass(5000)
  quick()
  assert.equal((await it.settle(acking)).code, 0)
  assert.notEqual((await it.settle(changing)).code, 0)
  await it.pass(60_000)
  assert.deepEqual(texts(await popper.pop()), [])
  await it.stop()
})
