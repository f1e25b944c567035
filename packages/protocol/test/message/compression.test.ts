import assert from 'node:assert/strict'
import test from 'node:test'
import { deflateSync } from 'node:zlib'
import {
  BodyError,
  bodyCodec,
  compressionType,
  hasQueueEntry,
  inflateBody,
  inflateBodyAsync,
  isCompressed,
  isInnerBatch,
  registerBodyCodec,
  SysFlag,
  TransactionKind,
  transactionKind,
  withCompression,
  withoutCompression,
  withTransactionKind,
} from '../../src/message/index.ts'

const text = Buffer.from('a body that is long enough to shrink '.repeat(200))

test('a body survives its compression, at once and off the main thread', async () => {
  const flag = withCompression(SysFlag.multiTags, 3)
  assert.equal(flag, 0x303)
  const codec = bodyCodec(flag)
  const small = codec?.compress?.(text) as Uint8Array
  assert.ok(small.length < text.length / 10)
  assert.deepEqual(Buffer.from(inflateBody(small, flag)), text)
  const other = (await codec?.compressAsync?.(text)) as Uint8Array
  assert.deepEqual(Buffer.from(await inflateBodyAsync(other, flag)), text)
})

test('old clients name no type and mean zlib', () => {
  assert.deepEqual(Buffer.from(inflateBody(deflateSync(text), 0x1)), text)
  assert.deepEqual([compressionType(0x1), compressionType(0x301), compressionType(0x101)], [3, 3, 1])
  assert.equal(withoutCompression(0x301), 0x300)
  assert.deepEqual([isCompressed(0x301), isCompressed(0x300)], [true, false])
})

test('damaged, cut, too large and unknown bodies are a BodyError', async () => {
  const small = deflateSync(text)
  assert.throws(() => inflateBody(small.subarray(0, small.length - 9), 0x1), BodyError)
  assert.throws(() => inflateBody(text, 0x1), BodyError)
  assert.throws(() => inflateBody(small, 0x1, 100), BodyError)
  await assert.rejects(inflateBodyAsync(small, 0x1, 100), BodyError)
  assert.throws(() => inflateBody(small, 0x401), { message: 'no codec for compression type 4' })
})

test('a codec can be added', () => {
  const reversed = (body: Uint8Array) => Uint8Array.from(body).reverse()
  registerBodyCodec(7, { name: 'backwards', decompress: reversed, decompressAsync: async body => reversed(body) })
  assert.deepEqual([...inflateBody(Uint8Array.of(1, 2, 3), 0x701)], [3, 2, 1])
  assert.throws(() => registerBodyCodec(8, { name: 'x', decompress: reversed, decompressAsync: async b => b }))
})

test('transaction kinds and batches in the flag', () => {
  assert.equal(withTransactionKind(0x301 | TransactionKind.prepared, TransactionKind.commit), 0x309)
  assert.equal(transactionKind(0x30d), TransactionKind.rollback)
  assert.deepEqual([0, 4, 8, 12].map(hasQueueEntry), [true, false, true, false])
  assert.deepEqual([0x40, 0x80, 0xc0].map(isInnerBatch), [false, false, true])
})
