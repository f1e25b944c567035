import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConsumerGroups } from '../../src/client-table/consumer-groups.ts'
import { GroupNews } from '../../src/client-table/group-news.ts'
import { consumerData, machine, TestConnection } from '../harness.ts'

/** A group of so many members, who have heard of each other. */
function groupOf(count: number) {
  const { clock, events } = machine()
  const turns = { count: 0 }
  const after = (ms: number, run: () => void) => {
    turns.count++
    return clock.after(ms, run)
  }
  const news = new GroupNews({ after, monotonic: () => clock.monotonic() })
  const consumers = new ConsumerGroups({ clock, events, notify: (group, newcomer) => news.tell(group, newcomer) })
  const join = () => {
    const connection = new TestConnection()
    const client = { clientId: `c-${connection.id}`, connection, language: 0, version: 409 }
    connection.onClose(() => Array.from(consumers.leaving(connection)))
    consumers.register(consumerData('g', []), client, true)
    return connection
  }
  const connections = Array.from({ length: count }, join)
  clock.advance(30_000)
  for (const { told } of connections) told.length = 0
  turns.count = 0
  return { clock, connections, turns, join }
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
  clock.advance(2500)
  assert.deepEqual([...new Set(staying.map(({ told }) => told.length))], [2])
})

test('members of a small group hear of each change at once', () => {
  const { clock, connections } = groupOf(64)
  for (let n = 1; n <= 10; n++) {
    connections.pop()?.close()
    clock.advance(5)
    assert.deepEqual([...new Set(connections.map(({ told }) => told.length))], [n])
  }
})

test('a group of a thousand whose members come one after another is told of many at once, and all hear of the last one', () => {
  const { clock, connections, join } = groupOf(65)
  const seconds = 10
  for (let n = 0; n < seconds * 100; n++) {
    connections.push(join())
    clock.advance(10)
  }
  const before = connections.reduce((sum, { told }) => sum + told.length, 0)
  // Rounds are as many milliseconds apart as the group has members; told at each join they were 500,000.
  assert.ok(before <= seconds * 1100 + connections.length, `${before} notices`)
  assert.ok(before >= seconds * 500, `${before} notices`)
  clock.advance(5000)
  for (const { told } of connections) told.length = 0
  const leaver = connections.pop()
  leaver?.close()
  clock.advance(5)
  assert.deepEqual([...new Set(connections.map(({ told }) => told.length))], [1], 'after a rest it is told at once')
  connections.pop()?.close()
  connections.pop()?.close()
  clock.advance(500)
  assert.deepEqual([...new Set(connections.map(({ told }) => told.length))], [1])
  clock.advance(1000)
  assert.deepEqual([...new Set(connections.map(({ told }) => told.length))], [2])
})

test('of a group of thousands the lists that its members ask for are bounded: its rounds are further apart', () => {
  const { clock, connections } = groupOf(3000)
  connections.pop()?.close()
  clock.advance(50)
  for (let n = 0; n < 100; n++) {
    connections.pop()?.close()
    clock.advance(50)
  }
  // The first change was told; nine seconds later all that came since.
  assert.deepEqual([...new Set(connections.map(({ told }) => told.length))], [1])
  clock.advance(4000)
  assert.deepEqual([...new Set(connections.map(({ told }) => told.length))], [2])
})
