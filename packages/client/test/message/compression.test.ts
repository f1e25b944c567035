import assert from 'node:assert/strict'
import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { test } from 'node:test'
import { SysFlag } from '@skua-mq/protocol'
import { compressBody, decompressBody } from '../../src/message/compression.ts'
import { decodeLz4Frame } from '../../src/message/lz4-frame.ts'

const options = { compressMsgBodyOverHowmuch: 4096, compressLevel: 5, compressType: 'ZLIB', compressors: {} } as const

test('a body of 4096 bytes is compressed, and says so as Java does; a smaller one is not', () => {
  const body = Buffer.alloc(4096, 'abc')
  const sent = compressBody(body, 0, options)
  assert.equal(sent.sysFlag, 0x301)
  assert.ok(sent.body.length < 100)
  assert.deepEqual(Buffer.from(decompressBody(sent.body, sent.sysFlag)), body)
  assert.deepEqual(compressBody(body.subarray(1), 0, options), { body: body.subarray(1), sysFlag: 0 })
})

test('senders that name no method mean zlib', () => {
  const { body } = compressBody(Buffer.alloc(5000), 0, options)
  assert.equal(decompressBody(body, SysFlag.compressed).length, 5000)
})

/** One frame: "aaaaaaaaaaaaaaaaaaaa" (a literal and an overlapping match) and a stored block "xyz". */
const frame = Buffer.concat([
  Buffer.from('04224d18604082', 'hex'),
  Buffer.from('0a000000', 'hex'),
  // token: 1 literal, match of 4 + 10; "a"; back 1; then the last sequence: 5 literals.
  Buffer.from('1a61010050', 'hex'),
  Buffer.from('6161616161', 'hex'),
  Buffer.from('03000080', 'hex'),
  Buffer.from('xyz'),
  Buffer.from('00000000', 'hex'),
])

test('LZ4 frames are read, with matches that overlap and with stored blocks', () => {
  assert.equal(decodeLz4Frame(frame, 1_000).toString(), `${'a'.repeat(20)}xyz`)
})

test('an LZ4 frame that is cut short or grows too large is an error, never garbage', () => {
  for (let end = 0; end < frame.length; end++)
    assert.throws(() => decodeLz4Frame(frame.subarray(0, end), 1_000), RangeError)
  assert.throws(() => decodeLz4Frame(frame, 22), /more than 22/)
})

test('an unknown method is an error that says so', () => {
  assert.throws(() => decompressBody(Buffer.from('x'), 0x701), { code: 'MESSAGE' })
  assert.throws(() => decompressBody(Buffer.from('not zlib'), 0x301), { code: 'MESSAGE' })
})

test('LZ4 frames of the 5.3.3 client are read', () => {
  const file = new URL('../fixtures/java-lz4.json', import.meta.url)
  const recorded: Record<'text' | 'sha1' | 'random' | 'randomSha1', string> = JSON.parse(readFileSync(file, 'utf8'))
  const sha1 = (frame: string) =>
    createHash('sha1')
      .update(decompressBody(Buffer.from(frame, 'base64'), 0x101))
      .digest('hex')
  assert.equal(sha1(recorded.text), recorded.sha1)
  assert.equal(sha1(recorded.random), recorded.randomSha1)
})
