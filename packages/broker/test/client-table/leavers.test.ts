import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ConsumerGroups } from '../../src/client-table/consumer-groups.ts'
import { Leavers, leftAtOnce } from '../../src/client-table/leavers.ts'
import { ProducerGroups } from '../../src/client-table/producer-groups.ts'
import { consumerData, machine, TestConnection } from '../harness.ts'

/** Connections that are members of so many groups of either kind each. */
function world({ connections, groups }: { connections: number; groups: number }) {
  const { clock, events } = machine()
  const timers: (() => void)[] = []
  const after = (_ms: number, run: () => void) => {
    timers.push(run)
    return { cancel: () => {} }
  }
  const consumers = new ConsumerGroups({ clock, events, notify: () => {} })
  const producers = new ProducerGroups(clock)
  const leavers = new Leavers({ after, monotonic: () => clock.monotonic() })
  const all = Array.from({ length: connections }, () => {
    const connection = new TestConnection()
    const client = { clientId: `c-${connection.id}`, connection, language: 0, version: 409 }
    for (let i = 0; i < groups; i++) {
      consumers.register(consumerData(`g${i}`, []), client, false)
      producers.register(`g${i}`, client)
    }
    connection.onClose(() => {
      leavers.add(consumers.leaving(connection))
      leavers.add(producers.leaving(connection))
    })
    return connection
  })
  const left = () => {
    let count = 0
    for (const { members } of consumers.all()) count += members.size
    for (const members of producers.all().values()) count += members.size
    return count
  }
  const turn = () => {
    const before = left()
    for (const run of timers.splice(0)) run()
    return before - left()
  }
  return { all, left, turn }
}

test('a connection that leaves few groups has left them in the same moment', () => {
  const { all, left } = world({ connections: 1, groups: 20 })
  all[0]?.close()
  assert.equal(left(), 0)
})

test('of one that leaves thousands, and of hundreds that leave a few, some is undone in a turn, and in the end all', () => {
  for (const size of [
    { connections: 1, groups: 2000 },
    { connections: 200, groups: 10 },
  ]) {
    const { all, left, turn } = world(size)
    const before = left()
    for (const connection of all) connection.close()
    assert.ok(before - left() <= leftAtOnce, `${before - left()} at once`)
    for (let one = turn(); one > 0; one = turn()) assert.ok(one <= leftAtOnce, `${one} in a turn`)
    assert.equal(left(), 0)
  }
})
