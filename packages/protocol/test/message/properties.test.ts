import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  isPropertyText,
  isReservedProperty,
  javaHash,
  PropertyScan,
  PropertySlot,
  parseProperties,
  printProperties,
  scanProperties,
  splitKeys,
} from '../../src/message/index.ts'

const scan = (text: string) => {
  const bytes = Buffer.from(text)
  const found = new PropertyScan()
  scanProperties(bytes, 0, bytes.length, found)
  return found
}

test('properties are written with and without the last separator', () => {
  const pairs: [string, string][] = [
    ['A', '1'],
    ['B', ''],
    ['C', 'x'],
  ]
  assert.equal(printProperties(pairs), 'A\u00011\u0002B\u0001\u0002C\u0001x')
  assert.equal(printProperties(pairs, { closed: true }), 'A\u00011\u0002B\u0001\u0002C\u0001x\u0002')
  assert.equal(printProperties([], { closed: true }), '')
})

test('entries without name or value vanish, and the last of two counts', () => {
  assert.deepEqual(
    [...parseProperties('A\u00011\u0002B\u0001\u0002C\u0001x\u0002D\u0002')],
    [
      ['A', '1'],
      ['C', 'x'],
    ],
  )
  assert.deepEqual([...parseProperties('\u0001v\u0002\u0002ab\u0002abc\u0002A\u00011\u0002A\u00012')], [['A', '2']])
  assert.deepEqual([...parseProperties('A\u0001b\u0001c')], [['A', 'b\u0001c']])
})

test('the scan finds what the map holds', () => {
  const names = [
    'TAGS',
    'KEYS',
    'UNIQ_KEY',
    'WAIT',
    'DELAY',
    'TRAN_MSG',
    'PGROUP',
    'REAL_TOPIC',
    'REAL_QID',
    'MSG_TYPE',
  ]
  const slots = [
    PropertySlot.tags,
    PropertySlot.keys,
    PropertySlot.uniqueKey,
    PropertySlot.wait,
    PropertySlot.delay,
    PropertySlot.transactionPrepared,
    PropertySlot.producerGroup,
    PropertySlot.realTopic,
    PropertySlot.realQueueId,
    PropertySlot.messageType,
  ]
  const piece = fc.oneof(
    fc.constantFrom(...names, '\u0001', '\u0002', '\u0001v\u0002', 'TAGX', 'CLUSTER'),
    fc.string({ unit: 'grapheme', maxLength: 5 }),
  )
  fc.assert(
    fc.property(fc.array(piece, { maxLength: 14 }), pieces => {
      const text = pieces.join('')
      const found = scan(text)
      // A lone surrogate does not survive UTF-8; the map must see what the bytes say.
      const map = parseProperties(Buffer.from(text).toString())
      slots.forEach((slot, i) => {
        assert.equal(found.text(slot), map.get(names[i]!))
        assert.equal(found.has(slot), map.has(names[i]!))
      })
      assert.equal(found.tagsCode, javaHash(map.get('TAGS') ?? ''))
    }),
    { numRuns: 3000 },
  )
})

test('of duplicate names the last counts in a scan, too', () => {
  const found = scan('UNIQ_KEY\u0001first\u0002TAGS\u0001a\u0002UNIQ_KEY\u0001second\u0002TAGS\u0001中文\u0002')
  assert.equal(found.text(PropertySlot.uniqueKey), 'second')
  assert.equal(found.tagsCode, 646394)
  assert.equal(found.count, 4)
})

test('a scan can be used again and forgets', () => {
  const found = scan('TAGS\u0001TagA\u0002DELAY\u00013')
  assert.deepEqual([found.tagsCode, found.number(PropertySlot.delay)], [2598919, 3])
  scanProperties(Buffer.from('WAIT\u0001false'), 0, 10, found)
  assert.deepEqual([found.tagsCode, found.number(PropertySlot.delay), found.waits], [0, undefined, false])
})

test('WAIT means yes unless it says something else than true', () => {
  assert.deepEqual(
    ['', 'WAIT\u0001true', 'WAIT\u0001TRUE', 'WAIT\u0001false', 'WAIT\u0001yes'].map(text => scan(text).waits),
    [true, true, true, false, false],
  )
})

test('numbers are whole or absent', () => {
  const delays = ['3', '-1', '+4', '1.5', 'x', '99999999999999999999', ' 3']
  assert.deepEqual(
    delays.map(text => scan(`DELAY\u0001${text}`).number(PropertySlot.delay)),
    [3, -1, 4, undefined, undefined, undefined, undefined],
  )
})

test('reserved names are those that Java refuses from users', () => {
  assert.ok(['TAGS', 'UNIQ_KEY', 'TIMER_DELAY_MS', '__CRC32#'].every(isReservedProperty))
  assert.ok(!['colour', 'CHECK_IMMUNITY_TIME_IN_SECONDS', 'INNER_MULTI_DISPATCH'].some(isReservedProperty))
})

test('separators in a name or value, and keys', () => {
  assert.deepEqual(['a b', 'a\u0001', '\u0002'].map(isPropertyText), [true, false, false])
  assert.deepEqual(splitKeys(' k1  k2 '), ['k1', 'k2'])
})
