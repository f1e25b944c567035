import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  type ConsumerFilterTable,
  consumerFilterFile,
  type SubscriptionData,
  subscriptionData,
} from '@skua-mq/protocol'
import { memoryDisk, noEvents, SimClock } from '@skua-mq/runtime'
import { ConsumerFilters, filterDataCleanTimeSpanMs, maxFilterLength } from '../../src/filter/consumer-filters.ts'
import { TableFile } from '../../src/persist/table-file.ts'

const sql = (topic: string, expression: string, subVersion: number) =>
  subscriptionData({ topic, expression, type: 'SQL92', subVersion })!

function filters() {
  const clock = new SimClock()
  const disk = memoryDisk({ clock })
  const online = new Map<string, SubscriptionData>()
  const path = '/store/config/consumerFilter.json'
  const parts = {
    clock,
    file: new TableFile<ConsumerFilterTable>({ disk, events: noEvents, path, codec: consumerFilterFile }),
    bloom: { errorPercent: 20, keys: 32 },
    logEnd: () => 0,
    subscription: (group: string, topic: string) => online.get(`${group}@${topic}`),
  }
  return { clock, disk, online, path, parts, table: new ConsumerFilters(parts) }
}

test('a larger version replaces an expression, a smaller one does not', () => {
  const { table } = filters()
  table.register('g', sql('T', 'a > 1', 5))
  table.register('g', sql('T', 'a > 2', 4))
  assert.equal(table.find('g', 'T')?.data.expression, 'a > 1')
  table.register('g', sql('T', 'a > 3', 6))
  assert.equal(table.find('g', 'T')?.data.expression, 'a > 3')
  assert.equal(table.find('g', 'T')?.data.clientVersion, 6)
})

test('an expression that is none, and tags, are not kept', () => {
  const { table } = filters()
  table.register('g', sql('T', 'a >', 1))
  table.register('g', subscriptionData({ topic: 'U', expression: 'A', subVersion: 1 })!)
  assert.equal(table.find('g', 'T'), undefined)
  assert.equal(table.find('g', 'U'), undefined)
})

test('keeps no more text than its limit, however few filters that are, and has room again for those that are shorter', () => {
  const { table } = filters()
  const long = (n: number, version = 1) => sql(`T${n}`, `a = '${'x'.repeat(60_000)}'`, version)
  for (let n = 0; n < 200; n++) table.register('g', long(n))
  const kept = [...Array(200).keys()].filter(n => table.find('g', `T${n}`) !== undefined).length
  assert.ok(kept > 10 && kept * 60_000 <= maxFilterLength, `${kept}`)
  for (let n = 0; n < kept; n++) table.register('g', sql(`T${n}`, 'a > 1', 2))
  table.register('g', long(199))
  assert.notEqual(table.find('g', 'T199'), undefined)
})

test('is saved in the form of Java, bloom positions of its published vector included', () => {
  const { table, disk, path } = filters()
  table.register('SQLCID', sql('Normal', 'a > 3', 7))
  table.register('Fx_SQLCID', sql('FxNormal', 'a > 3', 7))
  table.stop()
  const saved = Buffer.from(disk.readFile(path)).toString()
  const compact = saved.replace(/[\n\t]/g, '')
  assert.ok(
    compact.startsWith(
      '{"filterDataByTopic":{"Normal":{"groupFilterData":{"SQLCID":{"bloomFilterData":{"bitNum":112,"bitPos":[',
    ),
  )
  assert.ok(
    compact.includes(
      '"Fx_SQLCID":{"bloomFilterData":{"bitNum":112,"bitPos":[37,61,95]},"bornTime":1767225600000,"clientVersion":7,"consumerGroup":"Fx_SQLCID","dead":false,"deadTime":0,"expression":"a > 3","expressionType":"SQL92","topic":"FxNormal"}',
    ),
  )
})

test('what is loaded counts as dead until its group comes back, and still filters', () => {
  const { table, parts, clock } = filters()
  table.register('g', sql('T', 'a > 3', 7))
  table.stop()
  clock.advance(60_000)
  const next = new ConsumerFilters(parts)
  next.load()
  const loaded = next.find('g', 'T')
  assert.deepEqual([loaded?.data.dead, loaded?.data.deadTime], [true, clock.now() - 30_000])
  assert.equal(
    loaded?.sql.evaluate(() => '4'),
    true,
  )
  next.register('g', sql('T', 'a > 3', 7))
  assert.equal(next.find('g', 'T')?.data.dead, false)
})

test('a filter whose group is gone is forgotten after a day, and not before', async () => {
  const { table, clock, online } = filters()
  const subscription = sql('T', 'a > 3', 7)
  online.set('g@T', subscription)
  table.register('g', subscription)
  table.expire()
  assert.equal(table.find('g', 'T')?.data.dead, false)
  online.clear()
  table.expire()
  assert.equal(table.find('g', 'T')?.data.dead, true)
  await clock.advanceAsync(filterDataCleanTimeSpanMs)
  table.expire()
  assert.notEqual(table.find('g', 'T'), undefined)
  await clock.advanceAsync(1)
  table.expire()
  assert.equal(table.find('g', 'T'), undefined)
})
