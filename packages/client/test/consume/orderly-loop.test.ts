import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import type { DispatchParts } from '../../src/consume/concurrent.ts'
import type { QueueLocks } from '../../src/consume/locks.ts'
import { OrderlyDispatch } from '../../src/consume/orderly.ts'
import type { Process } from '../../src/consume/owned-queues.ts'
import { ProcessQueue } from '../../src/consume/process-queue.ts'
import { Slots } from '../../src/consume/slots.ts'

const queue = { topic: 'T', brokerName: 'b', queueId: 0 }

test('messages are consumed in whichever moment of the end of a loop they come', async () => {
  // So many steps of promises behind the first message the second one comes.
  for (let steps = 0; steps < 40; steps++) {
    const seen: number[] = []
    const parts = {
      ...{ instance: { clock: new SimClock() }, slots: new Slots(1), signal: new AbortController().signal },
      settings: { messageModel: 'BROADCASTING', consumeMessageBatchMaxSize: 1 },
      run: {
        run: async (_queue: unknown, [message]: readonly { queueOffset: number }[]) => {
          seen.push(message!.queueOffset)
          return { status: 'SUCCESS', context: { autoCommit: true, suspendCurrentQueueTimeMillis: 1000 } }
        },
      },
      offsets: { update: () => {} },
    } as unknown as DispatchParts
    const dispatch = new OrderlyDispatch(parts, {} as QueueLocks)
    const process = new ProcessQueue(0) as Process
    const put = (queueOffset: number) => {
      process.put([{ queueOffset, body: Buffer.alloc(1) }] as never)
      dispatch.submit(queue, process)
    }
    put(0)
    for (let step = 0; step < steps; step++) await Promise.resolve()
    put(1)
    for (let step = 0; step < 100; step++) await Promise.resolve()
    assert.deepEqual(seen, [0, 1], `${steps} steps behind`)
  }
})
