import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConsumerGroups } from '../../src/client-table/consumer-groups.ts'
import { GroupNews, newcomerNotifyMs } from '../../src/client-table/group-news.ts'
import { consumerData, machine, TestConnection } from '../harness.ts'

/** A group of so many members, who have heard of each other. */
function groupOf(count: number) {
  const { clock, events } = machine()
  const turns = { count: 0 }
  const after = (ms: number, run: () => void) => {
    turns.count++
    return clock.after(ms, run)
  }
  const news = new GroupNews({ after })
  const consumers = new ConsumerGroups({ clock, events, notify: (group, newcomer) => news.tell(group, newcomer) })
  const connections = Array.from({ length: count }, () => {
    const connection = new TestConnection()
    const client = { clientId: `c-${connection.id}`, connection, language: 0, version: 409 }
    connection.onClose(() => Array.from(consumers.leaving(connection)))
    consumers.register(consumerData('g', []), client, true)
    return connection
  })
  clock.advance(newcomerNotifyMs)
  for (const { told } of connections) told.length = 0
  turns.count = 0
  return { clock, connections, turns }
}

test('of many members that leave together those that stay are told once, some of them in a turn', () => {
  const { clock, connections, turns } = groupOf(1500)
  const leaving = connections.slice(0, 400)
  const staying = connections.slice(400)
  for (const connection of leaving) connection.close()
  clock.advance(10)
  assert.deepEqual([...new Set(staying.map(({ told }) => told.length))], [1])
  assert.ok(turns.count >= 3, `${turns.count} turns`)
  staying.pop()?.close()
  clock.advance(10)
  assert.deepEqual([...new Set(staying.map(({ told }) => told.length))], [2])
})
