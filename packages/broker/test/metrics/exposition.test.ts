import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { Histogram } from '@skua-mq/runtime'
import { Exposition } from '../../src/metrics/exposition.ts'
import { counter, gauge, histogram } from '../../src/metrics/family.ts'
import { overflow } from '../../src/metrics/source.ts'
import { parseExposition, parseSample } from './exposition-parser.ts'

const labels = { cluster: 'C', node_id: 'a', node_type: 'broker' }
const written = (limit = 100) => new Exposition({ labels, limit })

describe('the writer', () => {
  test('labels are sorted, and the scope of RocketMQ’s names stands before them', () => {
    const into = written()
    into.sample(counter('rocketmq_x_total', { help: 'h', labels: ['consumer_group', 'topic'] }), ['g', 'T'], 7)
    into.sample(gauge('skua_y', { help: 'h' }), [], 0.5)
    assert.equal(
      into.take(),
      `# HELP rocketmq_x_total h
# TYPE rocketmq_x_total counter
rocketmq_x_total{otel_scope_name="broker-meter",cluster="C",consumer_group="g",node_id="a",node_type="broker",topic="T"} 7
# HELP skua_y h
# TYPE skua_y gauge
skua_y{cluster="C",node_id="a",node_type="broker"} 0.5
`,
    )
    assert.equal(into.take(), '')
  })

  test('values of labels are escaped, and come back as they were', () => {
    const into = written()
    const odd = 'a "b" \\n c\nd, e="f"} 渡り'
    into.sample(gauge('skua_y', { help: 'one\nline \\', labels: ['topic'] }), [odd], 1)
    const family = parseExposition(into.take()).get('skua_y')!
    assert.equal(family.samples[0]!.labels.get('topic'), odd)
    assert.equal(family.help, 'one\\nline \\\\')
  })

  test('a histogram is cumulative, and its upper ends are written as Java writes them', () => {
    const into = written()
    const times = new Histogram([0.5, 1, 1000])
    for (const ms of [0.5, 0.6, 1, 5000]) times.add(ms)
    into.histogram(histogram('skua_h', { help: 'h' }), [], times)
    const { samples } = parseExposition(into.take()).get('skua_h')!
    assert.deepEqual(
      samples.map(({ name, labels: own, value }) => [name, own.get('le'), value]),
      [
        ['skua_h_bucket', '0.5', 1],
        ['skua_h_bucket', '1.0', 3],
        ['skua_h_bucket', '1000.0', 3],
        ['skua_h_bucket', '+Inf', 4],
        ['skua_h_sum', undefined, 5002.1],
        ['skua_h_count', undefined, 4],
      ],
    )
  })

  test('what is no number is written as the format has it', () => {
    const into = written()
    const family = gauge('skua_y', { help: 'h', labels: ['of'] })
    const values = [Number.NaN, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, 1e21, 2 ** 53 - 1]
    for (const value of values) into.sample(family, [String(value)], value)
    const { samples } = parseExposition(into.take()).get('skua_y')!
    assert.deepEqual(
      samples.map(({ value }) => value),
      values,
    )
  })

  test('above the limit series are left out and counted; those that are counted together are not', () => {
    const into = written(2)
    const family = counter('rocketmq_x_total', { help: 'h', labels: ['topic'] })
    for (let i = 0; i < 5; i++) into.sample(family, [`T${i}`], 1)
    into.sample(family, overflow, 3)
    const { samples } = parseExposition(into.take()).get('rocketmq_x_total')!
    assert.deepEqual(
      samples.map(({ labels: own }) => own.get('topic') ?? own.get('otel_metric_overflow')),
      ['T0', 'T1', 'true'],
    )
    assert.equal(into.dropped.get(family), 3)
  })

  test('a family whose samples are not together is a fault', () => {
    const into = written()
    const [a, b] = [gauge('skua_a', { help: 'h' }), gauge('skua_b', { help: 'h' })]
    into.sample(a, [], 1)
    into.sample(b, [], 1)
    assert.throws(() => into.sample(a, [], 1), /not together/)
  })
})

describe('the parser of these tests', () => {
  const head = '# HELP m h\n# TYPE m gauge\n'
  const bucket = '# HELP h h\n# TYPE h histogram\nh_bucket{le="1"} 2\n'
  for (const [what, text] of Object.entries({
    'a series twice': `${head}m{a="1"} 1\nm{a="1"} 2\n`,
    'a sample without a type': 'm 1\n',
    'a sample of another family': `${head}n 1\n`,
    'a family in two pieces': `${head}m 1\n# HELP n h\n# TYPE n gauge\nn 1\nm{a="1"} 1\n`,
    'a label twice': `${head}m{a="1",a="2"} 1\n`,
    'an escape that is none': `${head}m{a="\\t"} 1\n`,
    'a value that is none': `${head}m 1,5\n`,
    'no end of the last line': `${head}m 1`,
    'a family without samples': head,
    'a histogram without a bucket for all': `${bucket}h_sum 1\nh_count 2\n`,
    'a histogram that falls': `${bucket}h_bucket{le="+Inf"} 1\nh_sum 1\nh_count 1\n`,
    'a histogram that counts otherwise': `${bucket}h_bucket{le="+Inf"} 3\nh_sum 1\nh_count 2\n`,
    'a histogram without a sum': `${bucket}h_bucket{le="+Inf"} 3\nh_count 3\n`,
  }))
    test(`does not take ${what}`, () => {
      assert.throws(() => parseExposition(text))
    })

  test('takes a time behind a value', () => {
    assert.equal(parseSample('m{a="b"} 1.5E3 1795945513348').value, 1500)
  })
})
