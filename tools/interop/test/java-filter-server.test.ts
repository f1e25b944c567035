import assert from 'node:assert/strict'
import { after, before, describe, test } from 'node:test'
import { EventHub } from '@skua-mq/runtime'
import type { Standalone } from 'skua'
import type { Driver } from '../src/driver.ts'
import { javaClient } from '../src/java-client.ts'
import { startSkua } from '../src/start-skua.ts'
import { skipWithout } from '../src/toolchain.ts'

interface Got {
  body: string
  properties: Record<string, string>
}

/** Only the 4.9 client still has class-filter subscriptions as a feature. */
const version = '4.9.8'
const skip = skipWithout('java')

describe(`class filters of the official Java client ${version}`, { skip }, () => {
  let skua: Standalone
  let java: Driver
  let namesrv = ''
  const ended: string[] = []

  before(async () => {
    const events = new EventHub()
    events.subscribe(event => event.name === 'filter server ended' && ended.push(String(event.fields['why'])))
    skua = await startSkua({ port: 0, store: 'memory', events, config: { filterServerNums: 2 } })
    namesrv = skua.namesrvAddr
    java = await javaClient(version)
  })
  after(async () => {
    await java?.kill()
    await skua?.stop()
  })

  const send = (topic: string, request: Record<string, unknown>) => java.call('send', { namesrv, topic, ...request })
  const received = (name: string, count: number, timeoutMs = 20_000) =>
    java.call<Got[]>('received', { name, count, timeoutMs })
  const push = (topic: string, name: string, filter: string) =>
    java.call('push', { namesrv, topic, name, group: name, filter, filterName: `${name}Filter`, fromStart: true })

  test('a filter in JavaScript chooses by properties and body; offsets go on past what it leaves out', async () => {
    const topic = 'ClassFilter'
    await send(topic, { count: 20, body: 'plain' })
    await send(topic, { count: 20, body: 'wanted', properties: { colour: 'red' } })
    await push(
      topic,
      'chooses',
      `function match(message, context) {
        return context.topic === 'ClassFilter' && message.properties.colour === 'red' && /^wanted 1?[02468]$/.test(message.bodyText)
      }`,
    )
    const got = await received('chooses', 10)
    assert.deepEqual(
      got.map(({ body }) => body).sort(),
      [0, 2, 4, 6, 8, 10, 12, 14, 16, 18].map(at => `wanted ${at}`).sort(),
    )
    await send(topic, { count: 3, body: 'wanted', properties: { colour: 'red' } })
    assert.equal((await received('chooses', 12)).length, 12)
    assert.equal((await received('chooses', 13, 1000)).length, 12)
    await java.call('stopConsumer', { name: 'chooses' })
  })

  test('filters that loop, allocate without end or throw get nothing, and another consumer goes on beside them', async () => {
    const topic = 'BadFilters'
    await send(topic, { count: 5, body: 'first' })
    await push(topic, 'loops', 'function match() { for (;;); }')
    await push(topic, 'hangs', 'const match = () => Array.prototype.indexOf.call({ length: 2 ** 53 - 1 }, 1)')
    await push(topic, 'hoards', 'function match() { const all = []; for (;;) all.push(new Uint8Array(1 << 20)) }')
    await push(topic, 'throws', 'function match(message) { return message.nothing.there }')
    await push(topic, 'good', 'const match = message => message.tags === undefined')
    assert.equal((await received('good', 5)).length, 5)
    const begun = Date.now()
    await send(topic, { count: 5, body: 'second' })
    assert.equal((await received('good', 10)).length, 10)
    assert.ok(Date.now() - begun < 5000, `it took ${Date.now() - begun} ms`)
    for (const name of ['loops', 'hangs', 'hoards', 'throws']) {
      assert.deepEqual(await received(name, 1, 10), [])
      await java.call('stopConsumer', { name })
    }
    await java.call('stopConsumer', { name: 'good' })
    assert.deepEqual(ended, [], 'no filter server ended for it')
  })

  test('Java source gets nothing, since no filter is registered then', async () => {
    const topic = 'JavaSource'
    await send(topic, { count: 2 })
    await push(
      topic,
      'javaSource',
      'public class F implements MessageFilter { public boolean match(MessageExt m, FilterContext c) { return true; } }',
    )
    assert.deepEqual(await received('javaSource', 1, 2000), [])
    await java.call('stopConsumer', { name: 'javaSource' })
  })
})
