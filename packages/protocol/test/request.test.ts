import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  as,
  bool,
  defineRequest,
  HeaderError,
  int,
  optional,
  readFields,
  text,
  withDefault,
  writeFields,
} from '../src/index.ts'

const request = defineRequest({
  name: 'EXAMPLE',
  code: 1,
  header: { topic: as('b', text), queueId: int, order: withDefault(bool, false), bname: optional(text) },
  direction: 'test to test',
  section: '0',
})

test('fields stand under their wire names; what is undefined is left out, defaults are sent', () => {
  assert.deepEqual(writeFields(request.header, { topic: 'T', queueId: 3, order: true }), {
    b: 'T',
    queueId: '3',
    order: 'true',
  })
  const { order } = readFields(request.header, { b: 'T', queueId: '3' })
  assert.equal(order, false)
  assert.deepEqual(writeFields(request.header, { topic: 'T', queueId: 3 } as never), {
    b: 'T',
    queueId: '3',
    order: 'false',
  })
})

test('unknown fields are left alone', () => {
  assert.deepEqual(readFields(request.header, { b: 'T', queueId: '3', AccessKey: 'x' }), {
    topic: 'T',
    queueId: 3,
    order: false,
  })
})

test('errors name the field as it stands on the wire', () => {
  assert.throws(() => readFields(request.header, { queueId: '3' }), {
    name: 'HeaderError',
    field: 'b',
    message: 'header field b: is missing',
  })
  assert.throws(
    () => readFields(request.header, { b: 'T', queueId: 'three' }),
    (error: unknown) => error instanceof HeaderError && /queueId: "three" is not an int/.test(error.message),
  )
})
