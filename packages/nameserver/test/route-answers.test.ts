import assert from 'node:assert/strict'
import { test } from 'node:test'
import { dialectOf, getRouteInfoByTopic } from '@skua-mq/protocol'
import { noEvents, SimClock, SimDisk, SimRandom } from '@skua-mq/runtime'
import { asRegistered } from '../src/advertising.ts'
import { KvConfig } from '../src/index.ts'
import { lookupRoutes } from '../src/lookup-routes.ts'
import type { NameServerParts } from '../src/parts.ts'
import { RouteAnswers } from '../src/route-answers.ts'
import { RouteTable } from '../src/route-table.ts'
import { SecondAsks } from '../src/second-asks.ts'
import { body, registration, topic } from './brokers.ts'
import { ask } from './harness.ts'

const topics = ['T0', 'T1', 'T2']

/** Lookups of a table, with an empty cache. */
function lookups(table: RouteTable) {
  const clock = new SimClock()
  const routes = lookupRoutes({
    ...{ routes: table, clock, dialect: dialectOf(), secondAsks: new SecondAsks(clock), advertising: asRegistered },
    kv: new KvConfig({ disk: new SimDisk(clock), events: noEvents, path: '/kvConfig.json' }),
    orderMessageEnable: () => false,
  } as unknown as NameServerParts)
  return (name: string, version: number) => {
    const reply = ask(routes, getRouteInfoByTopic, { topic: name }, { version })
    return `${reply.code} ${Buffer.from(reply.body ?? '')}`
  }
}

test('what is kept is what a fresh look says, whatever brokers and tools do between two lookups', () => {
  for (let seed = 1; seed <= 40; seed++) {
    const random = new SimRandom(seed)
    const pick = <T>(list: readonly T[]): T => list[random.int(list.length)] as T
    const table = new RouteTable()
    const kept = lookups(table)
    const someBroker = () => {
      const n = random.int(2)
      const brokerId = random.int(2)
      return {
        brokerName: `b${n}`,
        brokerAddr: `10.0.${random.int(3)}.${n}:10911`,
        brokerId,
        connectionId: random.int(3),
      }
    }
    const acts: (() => void)[] = [
      () => {
        const readQueueNums = 1 + random.int(3)
        const list = topics.filter(() => random.int(2) === 0).map(name => topic(name, { readQueueNums }))
        const filterServerList = random.int(3) === 0 ? [`10.0.0.9:${random.int(2)}`] : []
        const content = body(list, { counter: random.int(4), filterServerList })
        const cluster = `c${random.int(8) === 0 ? 1 : 0}`
        table.register(registration({ ...someBroker(), cluster, body: content }), seed)
      },
      () => table.refresh(registration({ ...someBroker(), cluster: 'c0' }), seed),
      () => table.unregister(someBroker()),
      () => table.connectionClosed(random.int(3)),
      () => table.sweep(1),
      () => table.settingWritable(`b${random.int(2)}`, random.int(2) === 0).step(2),
      () => table.deleteTopic(pick(topics)),
      () =>
        table.registerTopic(pick(topics), [
          { brokerName: 'b0', readQueueNums: 9, writeQueueNums: 9, perm: 6, topicSysFlag: 0 },
        ]),
    ]
    for (let step = 0; step < 150; step++) {
      // A registration is what mostly happens.
      if (random.int(2) === 0) acts[0]!()
      else pick(acts)()
      const fresh = lookups(table)
      for (const name of topics)
        for (const version of [409, 500])
          assert.equal(kept(name, version), fresh(name, version), `seed ${seed} step ${step}`)
    }
  }
})

test('a second lookup of an unchanged table looks nothing up', () => {
  const table = new RouteTable()
  table.register(registration({ body: body([topic('T0')]) }), 1)
  const look = lookups(table)
  const first = look('T0', 409)
  table.routeOf = () => assert.fail('it was kept')
  assert.equal(look('T0', 409), first)
  // Another kind of client is told more.
  assert.throws(() => look('T0', 500), /it was kept/)
})

test('answers are kept up to a number of bytes, and none of an older version', () => {
  const answers = new RouteAnswers(90)
  const answer = new Uint8Array(30)
  assert.equal(answers.get('one', 1), undefined)
  answers.keep('one', answer)
  answers.keep('two', answer)
  assert.equal(answers.get('one', 1), answer)
  assert.equal(answers.keep('large', new Uint8Array(96)).length, 96)
  assert.equal(answers.get('large', 1), undefined)
  answers.keep('tri', answer)
  assert.deepEqual(
    ['one', 'two', 'tri'].map(name => answers.get(name, 1) === answer),
    [true, true, false],
  )
  assert.equal(answers.get('one', 2), undefined)
  answers.keep('tri', answer)
  assert.equal(answers.get('tri', 2), answer)
  assert.equal(answers.get('one', 1), undefined)
})
