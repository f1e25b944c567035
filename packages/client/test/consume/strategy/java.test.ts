import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import type { MessageQueue } from '@skua-mq/protocol'
import fc from 'fast-check'
import {
  type AllocateStrategy,
  averagely,
  averagelyByCircle,
  byConfig,
  byMachineRoom,
  consistentHash,
  machineRoomNearby,
} from '../../../src/consume/strategy/index.ts'

interface Case {
  readonly queues: [topic: string, brokerName: string, queueId: number][]
  readonly clients: string[]
  /** By strategy: per client the indexes of its queues. */
  readonly shares: Record<string, number[][]>
}

/** Written by the classes of Java's 4.9.7 and 5.3.3 clients, which agree. */
const file = new URL('../../fixtures/java-allocations.json', import.meta.url)
const cases: Case[] = JSON.parse(readFileSync(file, 'utf8'))

const resolver = {
  brokerDeployIn: ({ brokerName }: MessageQueue) => (brokerName.includes('@') ? brokerName.split('@')[0]! : 'none'),
  consumerDeployIn: (clientId: string) => clientId.split('-')[0]!,
}

const strategies: AllocateStrategy[] = [
  averagely(),
  averagelyByCircle(),
  consistentHash(),
  byMachineRoom(['room1', 'room2']),
  machineRoomNearby(averagely(), resolver),
  machineRoomNearby(averagelyByCircle(), resolver),
]

for (const strategy of strategies) {
  test(`${strategy.name} shares queues out as Java does`, () => {
    for (const { queues: rows, clients, shares } of cases) {
      const queues = rows.map(([topic, brokerName, queueId]) => ({ topic, brokerName, queueId }))
      const ours = clients.map(clientId =>
        strategy.allocate({ group: 'g', clientId, queues, clientIds: clients }).map(queue => queues.indexOf(queue)),
      )
      assert.deepEqual(ours, shares[strategy.name])
    }
  })
}

test('the allocation table of the vectors page', () => {
  const queues = ['b1', 'b2'].flatMap(brokerName =>
    [0, 1, 2, 3].map(queueId => ({ topic: 'TopicA', brokerName, queueId })),
  )
  const share = (strategy: AllocateStrategy, clientId: string) =>
    strategy
      .allocate({ group: 'g', clientId, queues, clientIds: ['c1', 'c2', 'c3'] })
      .map(queue => `${queue.brokerName}-${queue.queueId}`)
      .join(' ')
  assert.equal(share(averagely(), 'c2'), 'b1-3 b2-0 b2-1')
  assert.equal(share(averagelyByCircle(), 'c3'), 'b1-2 b2-1')
  assert.equal(share(consistentHash(), 'c1'), 'b2-3')
  assert.equal(share(consistentHash(), 'c2'), 'b1-1 b1-2 b1-3 b2-0 b2-1')
  assert.equal(share(consistentHash(), 'c3'), 'b1-0 b2-2')
})

test('each queue has exactly one owner, whoever is there', () => {
  const clients = fc.uniqueArray(fc.string({ minLength: 1, maxLength: 8 }), { minLength: 1, maxLength: 12 })
  fc.assert(
    fc.property(clients, fc.integer({ min: 0, max: 40 }), (ids, count) => {
      const clientIds = [...ids].sort()
      const queues = Array.from({ length: count }, (_, queueId) => ({ topic: 'T', brokerName: 'b', queueId }))
      for (const strategy of [averagely(), averagelyByCircle(), consistentHash()]) {
        const owned = clientIds.flatMap(clientId => strategy.allocate({ group: 'g', clientId, queues, clientIds }))
        assert.equal(owned.length, count)
        assert.equal(new Set(owned).size, count)
      }
    }),
  )
})

test('a member that is not in the list gets nothing, but by config it gets what is configured', () => {
  const queues = [{ topic: 'T', brokerName: 'b', queueId: 0 }]
  const input = { group: 'g', clientId: 'me', queues, clientIds: ['you'] }
  for (const strategy of strategies) assert.deepEqual(strategy.allocate(input), [])
  assert.deepEqual(byConfig(queues).allocate(input), queues)
})

test('a machine room that is not known is an error', () => {
  const nowhere = machineRoomNearby(averagely(), { brokerDeployIn: () => '', consumerDeployIn: () => 'r' })
  const queues = [{ topic: 'T', brokerName: 'b', queueId: 0 }]
  assert.throws(() => nowhere.allocate({ group: 'g', clientId: 'me', queues, clientIds: ['me'] }), /machine room.*b/)
})
