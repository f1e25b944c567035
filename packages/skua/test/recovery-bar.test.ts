import assert from 'node:assert/strict'
import { test } from 'node:test'
import { EventHub, type ProcessFacts, SimClock, SimDisk, SimTurn } from '@skua-mq/runtime'
import { type AppendWaiter, Draft, Store, storeConfig } from '@skua-mq/store'
import { showRecovery } from '../src/command/recovery-bar.ts'

const facts: ProcessFacts = { pid: 1, bootId: 'boot', startedAt: () => 'then', lockHolder: () => undefined }
const waiter: AppendWaiter = { stored: () => {} }

test('a start that rebuilds its queues shows how far it has come, up to the end of the log', async () => {
  const clock = new SimClock()
  const disk = new SimDisk(clock)
  const config = storeConfig({ storePathRootDir: '/store', mappedFileSizeCommitLog: 8 * 1024 * 1024 })
  const begin = async (events: EventHub) => {
    const turn = new SimTurn()
    const store = new Store(config, { clock, disk, turn, events, facts })
    await clock.until(store.start())
    return { store, turn }
  }
  const first = await begin(new EventHub())
  const draft = new Draft()
  draft.topic = 'T'
  draft.bornHost = Uint8Array.of(127, 0, 0, 1, 0, 0, 1, 1)
  draft.body = Buffer.alloc(1024 * 1024)
  draft.bodyEnd = draft.body.length
  for (let i = 0; i < 20; i++) {
    first.store.append(draft, waiter)
    first.turn.run()
  }
  const end = first.store.maxPhysicalOffset
  await clock.until(first.store.stop())
  disk.remove('/store/consumequeue')

  const drawn: [number, number][] = []
  let ends = 0
  const events = showRecovery(
    new EventHub(),
    () => clock.monotonic(),
    () => ({ update: (done, total) => void drawn.push([done, total]), end: () => void ends++ }),
  )
  const second = await begin(events)
  assert.ok(drawn.length >= 3)
  assert.ok(drawn.every(([done, total], at) => done <= total && done >= (drawn[at - 1]?.[0] ?? 0)))
  assert.ok(drawn.at(-1)![1] >= end)
  assert.equal(ends, 1)
  await clock.until(second.store.stop())
})
