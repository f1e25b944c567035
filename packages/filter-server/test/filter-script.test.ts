import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { NodeClock } from '@skua-mq/runtime'
import { FilterFailed, NoFilter } from '../src/filter-limits.ts'
import { FilterScript } from '../src/filter-script.ts'
import type { FilteredMessage } from '../src/filtered-message.ts'

const limits = { callTimeoutMs: 50, memoryBytes: 4 * 1024 * 1024 }
const context = { consumerGroup: 'g', topic: 'T', className: 'Chooser' }
/** The real clock: the time limit is that of a running script, which no test can advance. */
const script = (source: string, own = limits) =>
  FilterScript.of(source, { clock: new NodeClock(), limits: own, context })

function message(body: string, properties: Record<string, string> = {}): FilteredMessage {
  return {
    fields: {
      topic: 'T',
      tags: properties['TAGS'],
      keys: properties['KEYS'],
      properties,
      flag: 3,
      queueId: 1,
      queueOffset: 7,
      bornTimestamp: 1000,
      storeTimestamp: 2000,
      reconsumeTimes: 0,
      msgId: 'id',
    },
    body: () => Buffer.from(body),
  }
}

async function failureOf(source: string, own = limits): Promise<FilterFailed> {
  const made = await script(source, own)
  try {
    made.matches(message('x'))
  } catch (error) {
    assert.ok(error instanceof FilterFailed)
    return error
  }
  return assert.fail('the filter did not fail')
}

describe('a filter', () => {
  test('sees every field, the body as text and as bytes, and its context', async () => {
    const all = await script(`function match(m, c) {
      const text = JSON.stringify([m.topic, m.tags, m.keys, m.properties, m.flag, m.queueId, m.queueOffset,
        m.bornTimestamp, m.storeTimestamp, m.reconsumeTimes, m.msgId, m.bodyText, [...m.body], c])
      if (text !== ${JSON.stringify(
        JSON.stringify([
          'T',
          'A',
          'k',
          { TAGS: 'A', KEYS: 'k', own: 'ö' },
          3,
          1,
          7,
          1000,
          2000,
          0,
          'id',
          'hé',
          [104, 195, 169],
          context,
        ]),
      )}) throw new Error(text)
      return true
    }`)
    assert.equal(all.matches(message('hé', { TAGS: 'A', KEYS: 'k', own: 'ö' })), true)
  })

  test('may be any function called match, and answers by truth', async () => {
    assert.equal((await script('const match = m => m.properties.a')).matches(message('x', { a: '1' })), true)
    assert.equal((await script('const match = m => m.properties.a')).matches(message('x')), false)
    assert.equal((await script('var match = function () { return 0 }')).matches(message('x')), false)
  })

  test('keeps what it remembers between messages to itself', async () => {
    const source = 'let count = 0; function match() { return ++count % 2 === 0 }'
    const first = await script(source)
    const second = await script(source)
    assert.deepEqual([first.matches(message('a')), first.matches(message('b'))], [false, true])
    assert.equal(second.matches(message('c')), false)
  })
})

describe('a filter cannot', () => {
  test('run longer than its limit, in a loop or in a regular expression, and no catch of its own saves it', async () => {
    for (const body of [
      'for (;;);',
      'return /^(a+)+$/.test("a".repeat(40) + "b")',
      'for (;;) try { for (;;); } catch {}',
    ]) {
      const failure = await failureOf(`function match() { ${body} }`)
      assert.match(failure.message, /longer than filterCallTimeoutMs=50/)
      assert.equal(failure.atLimit, true)
    }
  })

  test('take more memory than its limit, in whatever pieces, its messages among them', async () => {
    const own = { ...limits, callTimeoutMs: 5000 }
    for (const piece of [
      'new Uint8Array(1 << 20)',
      'new Uint8Array(100)',
      '{}',
      '"x".repeat(1e5) + all.length',
      'm.body',
    ]) {
      const before = process.memoryUsage.rss()
      const failure = await failureOf(`const all = []; function match(m) { for (;;) all.push(${piece}) }`, own)
      assert.match(failure.message, /filterMemoryBytes=4194304/)
      assert.equal(failure.atLimit, true)
      const grownMiB = (process.memoryUsage.rss() - before) / 2 ** 20
      assert.ok(grownMiB < 100, `${piece}: the process grew by ${grownMiB} MiB`)
    }
  })

  test('overflow a stack that anybody else uses', async () => {
    const made = await script('function match(m) { return m.tags === "deep" ? match(m) + 1 : true }')
    assert.throws(() => made.matches(message('x', { TAGS: 'deep' })), FilterFailed)
    assert.equal(made.matches(message('x')), true)
  })

  test('reach a process, a module, a timer, the network or the host’s own functions', async () => {
    const names = ['process', 'require', 'module', 'setTimeout', 'setInterval', 'setImmediate', 'fetch', 'console']
    const made = await script(`function match() {
      const here = ${JSON.stringify(names)}.filter(name => typeof globalThis[name] !== 'undefined')
      if (here.length > 0) throw new Error(here.join())
      return (function () { return this })() === globalThis || true
    }`)
    assert.equal(made.matches(message('x')), true)
    const outside = await failureOf('function match(m) { return m.constructor.constructor("return process")() }')
    assert.match(outside.message, /process.*not defined/)
    const imports = await failureOf('function match() { return import("node:fs") }')
    assert.match(imports.message, /promise/)
  })

  test('change how messages are read, by changing what the language offers', async () => {
    const made = await script('JSON.parse = () => ({}); function match(m) { return m.tags === "A" }')
    assert.equal(made.matches(message('x', { TAGS: 'A' })), true)
  })
})

describe('what a filter does wrong is told', () => {
  test('an error with its place, also one that is no Error', async () => {
    assert.match((await failureOf('function match(m) {\n  return m.no.where\n}')).message, /TypeError.*Chooser\.js:2/)
    assert.match((await failureOf('function match() { throw 7 }')).message, /threw 7/)
    const long = await failureOf('function match() { throw new Error("x".repeat(1e6)) }')
    assert.ok(long.message.length < 1100, 'a remark must fit into a header')
  })

  test('a promise', async () => {
    assert.match((await failureOf('async function match() { return true }')).message, /at once/)
  })

  test('Java source, other text and text that never ends are no filters, and what is wanted is said', async () => {
    for (const source of [
      'public class F implements MessageFilter { public boolean match(MessageExt m, FilterContext c) { return true; } }',
      'var x = 1',
      '',
      'for (;;);',
      'throw new Error("at once")',
    ]) {
      await assert.rejects(script(source), (error: Error) => {
        assert.ok(error instanceof NoFilter)
        return /wanted is JavaScript that defines a function match\(message, context\)/.test(error.message)
      })
    }
  })
})
