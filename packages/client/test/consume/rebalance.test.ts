import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import type { MessageQueue } from '@skua-mq/protocol'
import { Rebalance } from '../../src/consume/rebalance.ts'
import { averagely } from '../../src/consume/strategy/averagely.ts'
import type { ClientEventMap } from '../../src/events.ts'
import {
  acquireInstance,
  type ClientInstance,
  clientIdOf,
  releaseInstance,
} from '../../src/instance/client-instance.ts'
import { clientSettings } from '../../src/options.ts'
import { routeOf, type World, world } from '../scripted-cluster.ts'

interface Round {
  readonly topic: string
  readonly own: readonly MessageQueue[]
}

/** A rebalance whose owner does what the test says. */
async function balanced(
  at: World,
  { topics = ['T'], model = 'CLUSTERING' as const }: { topics?: string[]; model?: 'CLUSTERING' | 'BROADCASTING' } = {},
) {
  const { runtime, namesrvAddr } = at
  const settings = clientSettings({ runtime, namesrvAddr })
  const instance: ClientInstance = acquireInstance(clientIdOf(settings), settings)
  await at.settle(instance.start())
  const rounds: Round[] = []
  const events: [keyof ClientEventMap, Record<string, unknown>][] = []
  const answer = { changed: false, complete: true }
  let hold: Promise<void> | undefined
  const rebalance = new Rebalance({
    instance,
    group: 'cg',
    model,
    strategy: averagely(),
    emit: (name, fields) => void events.push([name, fields as Record<string, unknown>]),
    ownership: {
      topics: () => topics,
      update: async (topic, own) => {
        rounds.push({ topic, own })
        await hold
        return { ...answer }
      },
    },
  })
  const end = async () => {
    await at.settle(rebalance.stop())
    await at.settle(releaseInstance(instance))
    await at.stop()
  }
  const holdBack = () => {
    let go = () => {}
    hold = new Promise(resolve => {
      go = () => {
        hold = undefined
        resolve()
      }
    })
    return () => go()
  }
  return { rebalance, instance, rounds, events, answer, end, holdBack, topics }
}

describe('a round of rebalance', () => {
  test('gives each topic its share of the queues, by all members of the group', async () => {
    const at = await world(2)
    const { rebalance, instance, rounds, end } = await balanced(at)
    for (const broker of at.brokers) broker.members = () => [instance.clientId, '~other'].sort()
    await at.settle(rebalance.now())
    assert.deepEqual(
      rounds.map(({ topic, own }) => [topic, own.map(({ brokerName, queueId }) => `${brokerName}${queueId}`)]),
      [['T', ['b00', 'b01']]],
    )
    await end()
  })

  test('comes again after 20 s; after one second where it was not complete', async () => {
    const at = await world(1)
    const { rebalance, instance, rounds, answer, end } = await balanced(at)
    at.brokers[0]!.members = () => [instance.clientId]
    await at.settle(rebalance.now())
    await at.clock.advanceAsync(19_000)
    assert.equal(rounds.length, 1)
    answer.complete = false
    await at.clock.advanceAsync(1500)
    assert.equal(rounds.length, 2)
    await at.clock.advanceAsync(1100)
    assert.equal(rounds.length, 3)
    answer.complete = true
    await at.clock.advanceAsync(1100)
    assert.equal(rounds.length, 4)
    await at.clock.advanceAsync(15_000)
    assert.equal(rounds.length, 4)
    await end()
  })

  test('does not overlap another one: who asks meanwhile gets one more, however often', async () => {
    const at = await world(1)
    const { rebalance, instance, rounds, end, holdBack } = await balanced(at)
    at.brokers[0]!.members = () => [instance.clientId]
    const go = holdBack()
    const first = rebalance.now()
    await at.clock.advanceAsync(50)
    const others = [rebalance.now(), rebalance.now(), rebalance.now()]
    assert.equal(rounds.length, 1)
    go()
    await at.settle(Promise.all([first, ...others]))
    assert.equal(rounds.length, 2)
    await end()
  })

  test('is over before a stop returns, and none comes after it', async () => {
    const at = await world(1)
    const { rebalance, instance, rounds, end, holdBack } = await balanced(at)
    at.brokers[0]!.members = () => [instance.clientId]
    const go = holdBack()
    void rebalance.now()
    await at.clock.advanceAsync(50)
    let isStopped = false
    const stopping = rebalance.stop().then(() => {
      isStopped = true
    })
    await at.clock.advanceAsync(50)
    assert.equal(isStopped, false)
    go()
    await at.settle(stopping)
    await at.settle(rebalance.now())
    await at.clock.advanceAsync(60_000)
    assert.equal(rounds.length, 1)
    await end()
  })

  test('tells of its share when it has changed', async () => {
    const at = await world(1)
    const { rebalance, instance, events, answer, end } = await balanced(at)
    at.brokers[0]!.members = () => [instance.clientId]
    await at.settle(rebalance.now())
    assert.deepEqual(events, [])
    answer.changed = true
    await at.settle(rebalance.now())
    assert.equal(events[0]?.[0], 'queuesChanged')
    assert.equal((events[0]![1] as unknown as ClientEventMap['queuesChanged']).queues.length, 2)
    await end()
  })

  test('of a broker that does not know this member tells it first', async () => {
    const at = await world(1)
    const { rebalance, instance, rounds, end } = await balanced(at)
    // The scripted broker knows those that have sent a heartbeat.
    instance.addProducer({ group: 'pg', emit: () => {}, topics: () => ['T'], checkTransaction: () => {} })
    await at.settle(rebalance.now())
    assert.ok(at.brokers[0]!.heartbeats.length >= 1)
    assert.equal(rounds.length, 1)
    await end()
  })

  test('leaves everything as it is where the members cannot be told', async () => {
    const at = await world(1)
    const { rebalance, rounds, end } = await balanced(at)
    at.brokers[0]!.members = () => []
    await at.settle(rebalance.now())
    assert.equal(rounds.length, 0)
    await at.clock.advanceAsync(1100)
    assert.equal(rounds.length, 0)
    await end()
  })

  test('that fails for one topic goes on with the others, and is told', async () => {
    const at = await world(1)
    at.topics.set('U', routeOf(at.brokers))
    const { rebalance, instance, rounds, events, end } = await balanced(at, { topics: ['gone', 'T', 'U'] })
    at.brokers[0]!.members = () => [instance.clientId]
    await at.settle(rebalance.now())
    assert.deepEqual(
      rounds.map(({ topic }) => topic),
      ['T', 'U'],
    )
    assert.deepEqual(
      events.map(([name, { topic }]) => [name, topic]),
      [['topicUnknown', 'gone']],
    )
    await end()
  })

  test('of a broadcasting consumer gives it all queues, and asks nobody', async () => {
    const at = await world(1)
    const { rebalance, rounds, end } = await balanced(at, { model: 'BROADCASTING' })
    at.brokers[0]!.members = () => {
      throw new Error('asked')
    }
    await at.settle(rebalance.now())
    assert.equal(rounds[0]?.own.length, 2)
    await end()
  })

  test('of more members than queues tells who has none, once until it has one again; not for a retry topic', async () => {
    const at = await world(1)
    at.topics.set('%RETRY%cg', routeOf(at.brokers))
    const { rebalance, instance, events, end } = await balanced(at, { topics: ['T', '%RETRY%cg'] })
    const [broker] = at.brokers
    const crowd = () => ['!', '"', '#', instance.clientId].sort()
    broker!.members = crowd
    for (let n = 0; n < 3; n++) await at.settle(rebalance.now())
    const told = () =>
      events.filter(([name]) => name === 'noQueue').map(([, { topic, members, queues }]) => [topic, members, queues])
    assert.deepEqual(told(), [['T', 4, 2]])
    broker!.members = () => [instance.clientId]
    await at.settle(rebalance.now())
    broker!.members = crowd
    await at.settle(rebalance.now())
    assert.equal(told().length, 2)
    await end()
  })

  test('of an unknown retry topic is silent: it comes with the first heartbeat', async () => {
    const at = await world(1)
    const { rebalance, events, end } = await balanced(at, { topics: ['%RETRY%cg'] })
    await at.settle(rebalance.now())
    assert.deepEqual(events, [])
    await end()
  })
})
