import assert from 'node:assert/strict'
import test from 'node:test'
import { GetRequest, GetResult } from '../src/index.ts'
import { message, type Opened, open, put, smallConfig, world } from './harness.ts'

const slaveConfig = { ...smallConfig, brokerRole: 'SLAVE' } as const
const properties = `KEYS\x01${'k'.repeat(300)}`

/** The bytes of all messages of the queue. */
async function records({ store }: Opened): Promise<Buffer[]> {
  const all: Buffer[] = []
  const result = new GetResult()
  const request = Object.assign(new GetRequest(), { topic: 'T', maxCount: 1 })
  for (; request.offset < store.maxOffset('T', 0); request.offset++) {
    await store.get(request, result)
    all.push(Buffer.concat(result.slices))
    result.release()
  }
  return all
}

test('what a master has written is not taken for torn at such a place, also where it was a slave before', async () => {
  const at = world()
  const slave = await open(at, slaveConfig)
  await at.clock.until(slave.store.stop())
  const life = { alive: true }
  const master = await open(at, smallConfig, { disk: at.disk.forProcess(life) })
  // A zero byte ends the first sector.
  put(master, message('T', '', `a\x01${'\0'.repeat(480)}b`))
  put(master, message('T', '', properties))
  life.alive = false
  const again = await open(at, smallConfig, { bootId: 'next' })
  assert.equal((await records(again)).length, 2)
  await at.clock.until(again.store.stop())
})

test('a slave that has the mark at the end of a file, and not what follows it, writes nothing behind that as a master', async () => {
  for (const cleanly of [true, false]) {
    const here = world()
    const master = await open(world(), smallConfig)
    // The next message does not fit into the first file, and a small one would.
    for (let i = 0; i < 3; i++) put(master, message('T', 'x'.repeat(5000)))
    const mark = master.store.maxPhysicalOffset
    put(master, message('T', 'x'.repeat(5000)))
    const life = { alive: true }
    const slave = await open(here, slaveConfig, { disk: here.disk.forProcess(life) })
    for (let at = 0; at < mark + 8; at = slave.store.maxPhysicalOffset)
      slave.store.appendReplicated(at, await master.store.readLog(at, mark + 8 - at))
    slave.turn.run()
    if (cleanly) await here.clock.until(slave.store.stop())
    else await here.clock.advanceAsync(20_000)
    life.alive = false
    const promoted = await open(here, smallConfig)
    assert.equal(put(promoted, message('T', 'new'))[0]?.status, 'ok')
    await here.clock.until(promoted.store.stop())
    // All that leads to the message is lost, but for the log.
    for (const name of ['consumequeue', 'index', 'skua.dispatch', 'checkpoint']) here.disk.remove(`/store/${name}`)
    const rebuilt = await open(here, smallConfig)
    assert.equal((await records(rebuilt)).length, 4, cleanly ? 'after a stop' : 'after a kill')
    await here.clock.until(rebuilt.store.stop())
  }
})
