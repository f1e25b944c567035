import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ScheduledPull } from '../../src/index.ts'
import { type World, world } from '../scripted-cluster.ts'

async function cluster() {
  const at = await world(1)
  return { at, broker: at.brokers[0]! }
}

type Cluster = Awaited<ReturnType<typeof cluster>>

/** This member owns queue 1 alone, or both. */
async function share({ at, broker }: Cluster, withAnother: boolean): Promise<void> {
  const { clientID } = broker.heartbeats.at(-1)!
  broker.members = () => (withAnother ? ['!', clientID] : [clientID])
  broker.connection!.tell({ code: 40, extFields: { consumerGroup: 'cg' } })
  await at.clock.advanceAsync(200)
}

describe('scheduled pulls', () => {
  const serviceOf = ({ runtime, namesrvAddr }: World, options: object = {}) =>
    new ScheduledPull({ runtime, namesrvAddr, group: 'cg', ...options })

  test('run a task for each own queue again and again, never twice at a time, when it says', async () => {
    const { at } = await cluster()
    const runs: [number, number][] = []
    const running = new Set<number>()
    const service = serviceOf(at).registerPullTask('T', async ({ queueId }, context) => {
      assert.equal(running.has(queueId), false)
      running.add(queueId)
      runs.push([queueId, at.clock.monotonic()])
      context.pullNextDelayTimeMillis = queueId === 0 ? 1000 : 100
      await new Promise<void>(resolve => at.clock.after(50, resolve))
      running.delete(queueId)
    })
    await at.settle(service.start())
    await at.clock.advanceAsync(3000)
    const of = (queueId: number) => runs.filter(([id]) => id === queueId).length
    assert.ok(of(0) >= 2 && of(0) <= 4, `${of(0)} runs`)
    assert.ok(of(1) >= 15 && of(1) <= 21, `${of(1)} runs`)
    await at.settle(service.close())
    await at.stop()
  })

  test('that throw run again, and are told', async () => {
    const { at } = await cluster()
    let runs = 0
    const failures: string[] = []
    const service = serviceOf(at).registerPullTask('T', ({ queueId }) => {
      if (queueId !== 0) return
      if (++runs <= 2) throw new Error(`run ${runs}`)
    })
    const off = service.onFailure(({ queueId }, error) => failures.push(`${queueId} ${(error as Error).message}`))
    await at.settle(service.start())
    await at.clock.advanceAsync(1000)
    off()
    assert.deepEqual(failures, ['0 run 1', '0 run 2'])
    assert.ok(runs > 2)
    await at.settle(service.close())
    await at.stop()
  })

  test('of a queue that another member takes end, by their signal', async () => {
    const { at, broker } = await cluster()
    const aborted: number[] = []
    const service = serviceOf(at).registerPullTask(
      'T',
      ({ queueId }, { signal }) =>
        new Promise<void>(resolve => {
          const timer = at.clock.after(60_000, resolve)
          signal.addEventListener('abort', () => {
            aborted.push(queueId)
            timer.cancel()
            resolve()
          })
        }),
    )
    await at.settle(service.start())
    await at.clock.advanceAsync(50)
    broker.members = () => ['!', broker.heartbeats.at(-1)!.clientID]
    broker.connection!.tell({ code: 40, extFields: { consumerGroup: 'cg' } })
    await at.clock.advanceAsync(200)
    assert.deepEqual(aborted, [0])
    await at.settle(service.close())
    assert.deepEqual(aborted, [0, 1])
    await at.stop()
  })

  test('run no more at a time than pullThreadNums', async () => {
    const { at } = await cluster()
    let running = 0
    let most = 0
    const service = serviceOf(at, { pullThreadNums: 1 }).registerPullTask('T', async () => {
      most = Math.max(most, ++running)
      await new Promise<void>(resolve => at.clock.after(20, resolve))
      running--
    })
    await at.settle(service.start())
    await at.clock.advanceAsync(1000)
    assert.equal(most, 1)
    await at.settle(service.close())
    await at.stop()
    assert.throws(() => serviceOf(at, { pullThreadNums: 0 }), { code: 'ARGUMENT' })
  })

  test('of a queue that comes back begins when the one before has ended, though it did not heed its signal', async () => {
    const sim = await cluster()
    const { at } = sim
    let running = 0
    let most = 0
    let runs = 0
    const service = serviceOf(at).registerPullTask('T', async ({ queueId }, { signal }) => {
      if (queueId !== 0) return
      runs++
      most = Math.max(most, ++running)
      await new Promise<void>(resolve => at.clock.after(10_000, resolve))
      running--
      return signal
    })
    await at.settle(service.start())
    await at.clock.advanceAsync(50)
    for (const withAnother of [true, false, true, false]) await share(sim, withAnother)
    assert.equal(runs, 1)
    await at.clock.advanceAsync(11_000)
    assert.deepEqual([most, runs], [1, 2])
    await at.settle(service.close())
    assert.equal(running, 0)
    await at.stop()
  })

  test('go on where somebody who is told of failures fails, too', async () => {
    const { at } = await cluster()
    let runs = 0
    const told: number[] = []
    const service = serviceOf(at).registerPullTask('T', ({ queueId }) => {
      if (queueId === 0 && ++runs) throw new Error('task')
    })
    service.onFailure(() => {
      throw new Error('listener')
    })
    service.onFailure(({ queueId }) => told.push(queueId))
    const warned: string[] = []
    const onWarning = ({ message }: Error) => warned.push(message)
    process.on('warning', onWarning)
    await at.settle(service.start())
    await at.clock.advanceAsync(1000)
    await new Promise(resolve => setImmediate(resolve))
    process.off('warning', onWarning)
    assert.ok(runs > 2 && told.length === runs, `${runs} runs, ${told.length} told`)
    assert.ok(warned.some(text => /onFailure failed: Error: listener/.test(text)))
    await at.settle(service.close())
    await at.stop()
  })

  test('begin no more while the service closes, whoever leaves the group meanwhile', async () => {
    const sim = await cluster()
    const { at } = sim
    const begun: number[] = []
    const service = serviceOf(at).registerPullTask('T', async ({ queueId }) => {
      begun.push(queueId)
      await new Promise<void>(resolve => at.clock.after(5000, resolve))
    })
    await at.settle(service.start())
    await share(sim, true)
    await at.clock.advanceAsync(6000)
    begun.length = 0
    const closing = service.close()
    await share(sim, false)
    await at.settle(closing)
    await at.clock.advanceAsync(30_000)
    assert.deepEqual(begun, [])
    await at.stop()
  })

  test('end for a queue of another member, though the broker does not take its position', async () => {
    const sim = await cluster()
    const { at, broker } = sim
    const runs: number[] = []
    const failed: unknown[] = []
    const service = serviceOf(at).registerPullTask('T', async (queue, { consumer }) => {
      runs.push(queue.queueId)
      await consumer.updateConsumeOffset(queue, runs.length)
    })
    service.consumer.on('offsetCommitFailed', ({ error }) => failed.push(error))
    await at.settle(service.start())
    await at.clock.advanceAsync(100)
    broker.refusesCommits = true
    await share(sim, true)
    await at.clock.advanceAsync(1000)
    assert.ok(failed.length > 0)
    runs.length = 0
    await at.clock.advanceAsync(3000)
    assert.deepEqual([...new Set(runs)], [1])
    await at.settle(service.close())
    await at.stop()
  })
})
