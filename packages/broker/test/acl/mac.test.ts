import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import { Mac } from '../../src/acl/mac.ts'

test('is the HMAC-SHA1 of text and body, whatever their lengths and that of the key', () => {
  const wide = '\u00fc\u6f22\ud83d\ude00'
  for (const keyBytes of [1, 63, 64, 65, 200]) {
    const key = `${'k'.repeat(keyBytes - 1)}z`
    const mac = new Mac(key)
    for (const text of ['', 'abc', wide.repeat(10), 'x'.repeat(21_845), 'x'.repeat(21_846), wide.repeat(20_000)]) {
      for (const body of [undefined, Buffer.alloc(0), Buffer.from('body'), Buffer.alloc(70_000, 'b')]) {
        const expected = createHmac('sha1', key)
          .update(text)
          .update(body ?? '')
          .digest('base64')
        assert.equal(mac.of(text, body), expected)
      }
    }
  }
})
