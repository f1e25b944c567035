import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock } from '@skua-mq/runtime'
import { Exposition } from '../../src/metrics/exposition.ts'
import { gauge } from '../../src/metrics/family.ts'
import { linesPerTurn, scrape, sliceMs } from '../../src/metrics/scrape.ts'
import type { MetricSource } from '../../src/metrics/source.ts'
import { parseExposition } from './exposition-parser.ts'

const family = gauge('rocketmq_x', { help: 'h', labels: ['topic'] })

const rows = (count: number): MetricSource => ({
  *collect(into) {
    for (let i = 0; i < count; i++) yield into.sample(family, [`Topic${i}`], i)
  },
})

const exposition = (limit = 50_000) => new Exposition({ labels: { cluster: 'C', node_id: 'a' }, limit })

/** The pieces of a scrape, each with the instant of the simulated clock in which it came. */
async function pieces(sources: readonly MetricSource[], { limit = 50_000, isOver = (): boolean => false } = {}) {
  const clock = new SimClock()
  const pieces: string[] = []
  let turn = 0
  const turns: number[] = []
  const parts = {
    clock: {
      monotonic: () => clock.monotonic(),
      after: (ms: number, run: () => void) => {
        turn++
        return clock.after(ms, run)
      },
    },
    ...{ sources, exposition: exposition(limit), isOver },
  }
  const read = async () => {
    for await (const piece of scrape(parts)) {
      pieces.push(piece)
      turns.push(turn)
    }
  }
  await clock.until(read())
  return { pieces, turns }
}

const linesOf = (text: string) => text.split('\n').filter(line => line !== '' && !line.startsWith('#')).length

test('12,200 series are written a slice a turn', async () => {
  const { pieces: all, turns } = await pieces([rows(12_200)])
  assert.equal(linesOf(all.join('')), 12_200)
  for (const piece of all) assert.ok(linesOf(piece) <= linesPerTurn)
  assert.deepEqual(turns, [...new Set(turns)], 'no two in one turn')
  assert.equal(parseExposition(all.join('')).get('rocketmq_x')!.samples[12_199]!.value, 12_199)
})

test('rows that are looked at and not written take their turns, too', async () => {
  const silent: MetricSource = {
    *collect() {
      for (let i = 0; i < 10 * linesPerTurn; i++) yield
    },
  }
  let turns = 0
  const clock = new SimClock()
  const after = (ms: number, run: () => void) => {
    turns++
    return clock.after(ms, run)
  }
  const read = async () => {
    for await (const piece of scrape({
      clock: { after, monotonic: () => clock.monotonic() },
      sources: [silent],
      exposition: exposition(),
      isOver: () => false,
    }))
      assert.equal(piece, '')
  }
  await clock.until(read())
  assert.equal(turns, 10)
})

test('rows that take long end their slice earlier', async () => {
  const clock = new SimClock()
  const slow: MetricSource = {
    *collect(into) {
      for (let i = 0; i < 1000; i++) {
        clock.block(0.1)
        yield into.sample(family, [`Topic${i}`], i)
      }
    },
  }
  const lines: number[] = []
  const read = async () => {
    for await (const piece of scrape({ clock, sources: [slow], exposition: exposition(), isOver: () => false }))
      lines.push(linesOf(piece))
  }
  await clock.until(read())
  assert.ok(Math.max(...lines) <= sliceMs / 0.1 + 32, String(lines))
})

test('what is above the limit is left out, and the scrape says how much', async () => {
  const { pieces: all } = await pieces([rows(150)], { limit: 100 })
  const families = parseExposition(all.join(''))
  assert.equal(families.get('rocketmq_x')!.samples.length, 100)
  const [dropped] = families.get('skua_metrics_dropped_series')!.samples
  assert.deepEqual([dropped?.labels.get('family'), dropped?.value], ['rocketmq_x', 50])
})

test('a scrape that the end of the broker meets does not look like a whole one', async () => {
  let asked = 0
  await assert.rejects(pieces([rows(5000)], { isOver: () => ++asked > 3 }), { code: 'ESTOPPED' })
})

test('a scrape that is left ends its sources', async () => {
  let ended = false
  const source: MetricSource = {
    *collect(into) {
      try {
        yield* rows(5000).collect(into) as Iterable<void>
      } finally {
        ended = true
      }
    },
  }
  const clock = new SimClock()
  const read = async () => {
    for await (const _ of scrape({ clock, sources: [source], exposition: exposition(), isOver: () => false })) break
  }
  await clock.until(read())
  assert.ok(ended)
})
