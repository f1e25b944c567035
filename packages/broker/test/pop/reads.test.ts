import assert from 'node:assert/strict'
import { test } from 'node:test'
import { decodeRecords, peekMessage } from '@skua-mq/protocol'
import type { GetRequest, GetResult, Store } from '@skua-mq/store'
import { insideOf } from '../world.ts'
import { PopMachine } from './pop-machine.ts'
import { Popper, texts } from './popper.ts'

/** Four messages in one queue that lie on a disk whose reads take a while, and what became of each read. */
async function cold() {
  const it = new PopMachine(3, { mappedFileSizeCommitLog: 64 * 1024 })
  await it.boot()
  const before = new Popper(it.client('member'))
  for (let n = 0; n < 4; n++) await before.peer.send('T', `m${n}`, { queueId: 0 })
  for (let n = 0; n < 3; n++) await before.peer.send('U', 'x'.repeat(40_000))
  it.kill()
  await it.boot()
  const { store } = insideOf<{ store: Store }>(it.broker)
  const reads = { begun: 0, kept: new Set<GetResult>() }
  const get = store.get.bind(store)
  store.get = (request: GetRequest, result: GetResult) => {
    reads.begun++
    const release = result.release.bind(result)
    result.release = () => {
      reads.kept.delete(result)
      release()
    }
    const reading = get(request, result)
    // A read begins with an empty result, for which it lets go of what was there before.
    reads.kept.add(result)
    return reading
  }
  const slow = () => it.disk.faults.slow({ on: 'read', ms: 300, path: 'commitlog/00000000000000000000' })
  slow()
  return { it, reads, slow, member: (name: string) => new Popper(it.client(name)) }
}

test('two members that pop a cold queue at once have each message once', async () => {
  for (const order of [false, true]) {
    const { it, reads, member } = await cold()
    const taken = ['a', 'b'].map(async name => texts(await member(name).pop({ order, queueId: 0 })))
    assert.deepEqual((await it.settle(Promise.all(taken))).flat().sort(), ['m0', 'm1', 'm2', 'm3'], `order ${order}`)
    assert.equal(reads.kept.size, 0)
  }
})

test('a queue that could not be read is popped by the next', async () => {
  const { it, reads, slow, member } = await cold()
  it.disk.faults.clear()
  const lift = it.disk.faults.fail({ on: 'read', code: 'EIO', path: 'commitlog/00000000000000000000' })
  slow()
  const popper = member('a')
  assert.equal((await popper.ask({ queueId: 0 })).code, 2)
  lift()
  assert.deepEqual(texts(await popper.pop({ queueId: 0 })), ['m0', 'm1', 'm2', 'm3'])
  assert.deepEqual([reads.begun > 1, reads.kept.size], [true, 0])
})

test('a pop whose client is gone while it is read lets all of it go, and in order another one has it at once', async () => {
  for (const order of [false, true]) {
    const { it, reads, member } = await cold()
    const gone = member('gone')
    const lost = assert.rejects(gone.remoteAsk({ order, queueId: 0, invisibleTime: 5000 }))
    await it.clock.advanceAsync(100)
    await it.settle(gone.peer.remoting.close())
    await it.clock.advanceAsync(1000)
    await lost
    assert.deepEqual([reads.begun > 0, reads.kept.size], [true, 0], `order ${order}`)
    const other = member('other')
    if (!order) await it.clock.advanceAsync(10_000)
    assert.deepEqual(texts(await other.pop({ order, queueId: order ? 0 : -1 })), ['m0', 'm1', 'm2', 'm3'])
  }
})

test('what a pop has read is let go when it is answered, and when it cannot be written down', async () => {
  const { it, reads, member } = await cold()
  const popper = member('a')
  assert.equal((await popper.pop({ queueId: 0, maxMsgNums: 2 })).length, 2)
  await it.clock.advanceAsync(10)
  assert.deepEqual([reads.begun > 0, reads.kept.size], [true, 0])
  it.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 })
  assert.equal((await popper.ask({ queueId: 0 })).code, 2)
  assert.equal(reads.kept.size, 0)
})

test('a queue that cannot be read keeps nothing of the others from a pop', async () => {
  for (const order of [false, true]) {
    const it = new PopMachine(3, { mappedFileSizeCommitLog: 64 * 1024 })
    await it.boot()
    const before = new Popper(it.client('member'))
    await before.peer.send('T', 'bad', { queueId: 1 })
    for (let n = 0; n < 3; n++) await before.peer.send('U', 'x'.repeat(40_000))
    for (const queueId of [0, 2, 3]) await before.peer.send('T', `good${queueId}`, { queueId })
    it.kill()
    await it.boot()
    const lift = it.disk.faults.fail({ on: 'read', code: 'EIO', path: 'commitlog/00000000000000000000' })
    // Wherever a pop begins.
    const popper = new Popper(it.client('member'))
    const peek = async (queueId: number) => {
      const reply = await popper.peer.ask(peekMessage, { topic: 'T', consumerGroup: 'g', queueId, maxMsgNums: 32 })
      return reply.code === 0 ? [...decodeRecords(reply.body!)].length : reply.code
    }
    assert.deepEqual([await peek(-1), await peek(1)], [3, 1])
    assert.deepEqual(texts(await popper.pop({ order })), ['good0', 'good2', 'good3'], `order ${order}`)
    const nothing = await popper.ask({ order })
    assert.equal(nothing.code, 2)
    assert.match(nothing.remark ?? '', /reading failed: EIO/)
    lift()
    assert.deepEqual(texts(await popper.pop({ order })), ['bad'])
  }
})

test('a read that fails at once leaves no queue locked, and loses nothing that was taken before it', async () => {
  const { it, reads, member } = await cold()
  it.disk.faults.clear()
  const popper = member('a')
  await popper.peer.send('T', 'other', { queueId: 2 })
  const { store } = insideOf<{ store: Store }>(it.broker)
  const get = store.get.bind(store)
  store.get = (request: GetRequest, result: GetResult) => {
    if (request.topic === 'T' && request.queueId === 0) throw new Error('at once')
    return get(request, result)
  }
  assert.deepEqual(texts(await popper.pop()), ['other'])
  assert.match((await popper.ask()).remark ?? '', /reading failed: at once/)
  store.get = get
  assert.deepEqual(texts(await popper.pop()), ['m0', 'm1', 'm2', 'm3'])
  assert.equal(reads.kept.size, 0)
})

test('a disk that fails slowly holds up no pop for all its queues, locks none, and the next ones come to the others', async () => {
  for (const order of [false, true]) {
    const it = new PopMachine(3, { mappedFileSizeCommitLog: 64 * 1024 })
    await it.boot()
    const before = new Popper(it.client('member'))
    for (const queueId of [0, 1, 2]) await before.peer.send('T', `bad${queueId}`, { queueId })
    for (let n = 0; n < 3; n++) await before.peer.send('U', 'x'.repeat(40_000))
    await before.peer.send('T', 'good', { queueId: 3 })
    it.kill()
    await it.boot()
    const path = 'commitlog/00000000000000000000'
    it.disk.faults.fail({ on: 'read', code: 'EIO', path })
    it.disk.faults.slow({ on: 'read', ms: 4000, path })
    const popper = new Popper(it.client('member'))
    const got: string[] = []
    for (let n = 0; n < 10 && got.length === 0; n++) {
      const since = it.clock.now()
      const reply = await popper.ask({ order })
      const tookMs = it.clock.now() - since
      // A block of the log, then the message alone.
      assert.ok(tookMs < 9000, `${tookMs} ms`)
      if (reply.code === 0) got.push(...texts(popper.read(reply)))
      else assert.equal(reply.code, 2)
    }
    assert.deepEqual(got, ['good'], `order ${order}`)
    it.disk.faults.clear()
    assert.deepEqual(texts(await popper.pop({ order })).sort(), ['bad0', 'bad1', 'bad2'], `order ${order}`)
  }
})
