import assert from 'node:assert/strict'
import { test } from 'node:test'
import { allRequests, maxClientBodyBytes } from '../../src/index.ts'

/** 103 is read a slice at a time; 302 by a filter server, which is no broker; 220 by a client, of its broker. */
const apart = new Set([103, 302, 220])

const asked = allRequests.filter(({ code, body }) => body !== undefined && !apart.has(code))

test('no body of a request that is read in one turn is longer than a megabyte', () => {
  const body = Buffer.from(`{"x":"${'x'.repeat(maxClientBodyBytes)}"}`)
  assert.ok(asked.length >= 8)
  for (const { name, body: codec } of asked) assert.throws(() => codec?.decode(body), RangeError, name)
})

test('nor has it hundreds of thousands of members', () => {
  const body = Buffer.from(`{"x":[${'1,'.repeat(400_000)}1]}`)
  const isText = new Set([25, 318])
  for (const { name, code, body: codec } of asked)
    if (!isText.has(code)) assert.throws(() => codec?.decode(body), /more than|deep|members|values|bytes/, name)
})
