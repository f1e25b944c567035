import assert from 'node:assert/strict'
import { readFileSync } from 'node:fs'
import { describe, test } from 'node:test'
import { type CloudEvent, cloudEventMessage, isCloudEvent, readCloudEvent } from '../../src/index.ts'
import { events, modes } from './events.ts'

interface Recorded {
  readonly id: string
  readonly mode: 'binary' | 'structured'
  readonly properties: Readonly<Record<string, string>>
  readonly body: string
}

/** What Java's binding 4.1.0 said (tools/interop/test/cloud-events.long.ts). */
const recorded = <T>(name: string): T[] =>
  readFileSync(new URL(`java-4.1.0-${name}.jsonl`, import.meta.url), 'utf8')
    .trim()
    .split('\n')
    .map(line => JSON.parse(line) as T)

const carrier = ({ properties, body }: Pick<Recorded, 'properties' | 'body'>) => ({
  properties: new Map(Object.entries(properties)),
  body: Buffer.from(body, 'base64'),
})
const sent = (event: CloudEvent, mode: 'binary' | 'structured') => {
  const { properties, body } = cloudEventMessage(event, { topic: 'T', mode })
  return { properties: new Map(Object.entries(properties!)), body }
}

describe('what Java writes is read here', () => {
  const plain = { source: '/shop', type: 'order.paid', specversion: '1.0' }
  const all = { subject: 'orders/7', time: '2030-01-02T03:04:05.678Z', dataschema: 'https://schemas/order' }
  const wanted: Record<string, object> = {
    minimal: {},
    json: { datacontenttype: 'application/json', data: { id: 7, name: 'Öl' } },
    text: { datacontenttype: 'text/plain', data: 'grüße' },
    bytes: { datacontenttype: 'application/octet-stream', data: Buffer.of(0, 1, 255) },
    untyped: { data: Buffer.of(5, 6) },
    v03: { specversion: '0.3' },
  }
  for (const line of recorded<Recorded>('writes')) {
    const { id, mode } = line
    test(`${id}, ${mode}`, () => {
      assert.ok(isCloudEvent(carrier(line)))
      // Java puts the bytes 5 and 6 into the JSON as they are.
      if (id === 'untyped' && mode === 'structured')
        return assert.throws(() => readCloudEvent(carrier(line)), { code: 'MESSAGE', message: /the event is not JSON/ })
      const extensions =
        mode === 'binary'
          ? { tenant: 'north', attempt: '2', urgent: 'true' }
          : { tenant: 'north', attempt: 2, urgent: true }
      const whole = { ...all, ...extensions, datacontenttype: 'application/json; charset=utf-8', data: [1, 2] }
      assert.deepEqual(readCloudEvent(carrier(line), { extensions: Object.keys(extensions) }), {
        ...plain,
        id,
        ...(id === 'all' ? whole : wanted[id]),
      })
      return undefined
    })
  }
})

describe('Java reads what is written here', () => {
  type Line = Recorded & { read: { attributes: Record<string, string>; data?: string } }
  for (const { id, mode, properties, body, read } of recorded<Line>('reads'))
    test(`${id}, ${mode}`, () => {
      const event = events.find(each => each.id === id)!
      const message = sent(event, mode)
      assert.deepEqual(Object.fromEntries(message.properties), properties)
      assert.equal(Buffer.from(message.body).toString('base64'), body)
      const { data, ...attributes } = event
      const type = data === undefined || data instanceof Uint8Array ? {} : { datacontenttype: 'application/json' }
      const texts = Object.entries({ specversion: '1.0', ...type, ...attributes }).map(([name, value]) => [
        name,
        String(value),
      ])
      assert.deepEqual(read.attributes, Object.fromEntries(texts))
      if (id === 'json text') assert.match(Buffer.from(read.data!, 'base64').toString(), /^"?just text"?$/)
      else assert.equal(read.data, dataOf(event))
    })
  const dataOf = ({ data, datacontenttype }: CloudEvent): string | undefined => {
    if (data === undefined) return undefined
    if (data instanceof Uint8Array) return Buffer.from(data).toString('base64')
    return Buffer.from(datacontenttype === 'text/plain' ? String(data) : JSON.stringify(data)).toString('base64')
  }
})

test('an event comes back as it went, in both modes; in binary mode extensions are text', () => {
  for (const mode of modes)
    for (const event of events) {
      const isValue = event.data !== undefined && !(event.data instanceof Uint8Array)
      const type = isValue ? { datacontenttype: event.datacontenttype ?? 'application/json' } : {}
      const wanted: Record<string, unknown> = { specversion: '1.0', ...event, ...type }
      if (event.data instanceof Uint8Array) wanted.data = Buffer.from(event.data)
      if (mode === 'binary' && event.id === 'all') Object.assign(wanted, { attempt: '2', urgent: 'true' })
      assert.deepEqual(readCloudEvent(sent(event, mode)), wanted)
    }
})

test('what a message has besides goes along, and properties that are none of the event stay out of it', () => {
  const event = { id: '1', source: '/s', type: 't' }
  const options = { topic: 'T', tag: 'A', keys: '1', properties: { region: 'eu' }, delayMs: 5 }
  const { body, properties, ...others } = cloudEventMessage(event, options)
  assert.deepEqual(others, { topic: 'T', tag: 'A', keys: '1', delayMs: 5 })
  assert.equal(properties?.region, 'eu')
  assert.deepEqual(readCloudEvent({ properties: new Map(Object.entries(properties!)), body }), {
    ...event,
    specversion: '1.0',
  })
})

test('dates and bytes of attributes are written as text; an instance with data_base64 brings its bytes', () => {
  const event = { id: '1', source: '/s', type: 't', time: new Date(0) as never, digest: Uint8Array.of(1, 2) }
  const read = readCloudEvent(sent({ ...event, data_base64: 'AQI=' }, 'binary'))
  assert.deepEqual([read.time, read.digest, read.data], ['1970-01-01T00:00:00.000Z', 'AQI=', Buffer.of(1, 2)])
})

test('what is no event is refused, on both ways', () => {
  const event = { id: '1', source: '/s', type: 't' }
  const refused = (given: object, message: RegExp) =>
    assert.throws(() => cloudEventMessage(given as CloudEvent, { topic: 'T' }), { code: 'MESSAGE', message })
  refused({ ...event, id: '' }, /needs id/)
  refused({ id: '1', type: 't' }, /needs source/)
  refused({ ...event, specversion: '0.3' }, /version 1\.0/)
  refused({ ...event, someThing: 'x' }, /"someThing" is no name/)
  refused({ ...event, price: 1.5 }, /attribute price must be/)
  refused({ ...event, empty: '' }, /attribute empty must be/)
  refused({ ...event, datacontenttype: 'text/plain', data: { a: 1 } }, /must be text or bytes: object/)
  refused({ ...event, data: () => {} }, /must be text or bytes: function/)
  assert.throws(() => cloudEventMessage(event, { topic: 'T', mode: 'batch' as never }), { code: 'ARGUMENT' })
  const unread = (properties: Record<string, string>, body: string, message: RegExp) =>
    assert.throws(() => readCloudEvent({ properties: new Map(Object.entries(properties)), body: Buffer.from(body) }), {
      code: 'MESSAGE',
      message,
    })
  unread({}, 'x', /holds no event/)
  unread({ CE_specversion: '1.0', CE_id: '1', CE_source: '/s' }, 'x', /has no type/)
  unread({ CE_contenttype: 'application/cloudevents+avro' }, 'x', /avro cannot be read/)
  unread({ CE_contenttype: 'application/cloudevents-batch+json' }, '[]', /cannot be read/)
  unread({ CE_contenttype: 'application/cloudevents+json' }, '[]', /no JSON object/)
  const json = { CE_specversion: '1.0', CE_id: '1', CE_source: '/s', CE_type: 't', CE_contenttype: 'application/json' }
  unread(json, '{', /the data of the event is not JSON/)
  assert.equal(isCloudEvent({ properties: new Map() }), false)
})
