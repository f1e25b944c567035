import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { deflateSync, inflateSync } from 'node:zlib'
import fc from 'fast-check'
import { encodeBatch, splitBySize, unpackInnerBatch } from '../../src/message/batch.ts'
import { type CompressionOptions, compressBody, decompressBody } from '../../src/message/compression.ts'
import { decodeLz4Frame } from '../../src/message/lz4-frame.ts'
import { jsonCodec, type StandardSchema } from '../../src/message/schema.ts'

/** An LZ4 frame that is written down plainly: each block stored, or one literal run and a match. */
function lz4Frame(blocks: readonly Buffer[], { checksum = false, size = false } = {}): Buffer {
  const flags = 0x40 | (checksum ? 0x10 : 0) | (size ? 0x08 : 0)
  const head = Buffer.from([0x04, 0x22, 0x4d, 0x18, flags, 0x40, ...(size ? [1, 2, 3, 4, 5, 6, 7, 8] : []), 0x82])
  const parts = blocks.flatMap(block => {
    const length = Buffer.alloc(4)
    length.writeUInt32LE((block.length | 0x8000_0000) >>> 0, 0)
    return [length, block, Buffer.alloc(checksum ? 4 : 0)]
  })
  return Buffer.concat([head, ...parts, Buffer.alloc(4)])
}

describe('an LZ4 frame', () => {
  test('with checksums and sizes is read past them', () => {
    for (const checksum of [false, true])
      for (const size of [false, true])
        assert.equal(
          decodeLz4Frame(lz4Frame([Buffer.from('abc'), Buffer.from('defg')], { checksum, size }), 100).toString(),
          'abcdefg',
        )
  })

  test('of nothing is nothing', () => {
    assert.equal(decodeLz4Frame(lz4Frame([]), 100).length, 0)
  })

  test('with long runs has lengths of several bytes', () => {
    // token: 15 + 255 + 30 literals, then the end.
    const literals = Buffer.alloc(300, 'z')
    const block = Buffer.concat([Buffer.from([0xf0, 255, 30]), literals])
    const frame = lz4Frame([])
    const length = Buffer.alloc(4)
    length.writeUInt32LE(block.length, 0)
    assert.equal(
      decodeLz4Frame(Buffer.concat([frame.subarray(0, 7), length, block, Buffer.alloc(4)]), 1000).toString(),
      'z'.repeat(300),
    )
  })

  test('of anything at all is an error or bytes, within its limit, and never runs on', () => {
    const head = lz4Frame([]).subarray(0, 7)
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), tail => {
        let out: Buffer
        try {
          out = decodeLz4Frame(Buffer.concat([head, tail]), 10_000)
        } catch (error) {
          assert.ok(error instanceof RangeError)
          return
        }
        assert.ok(out.length <= 10_000)
      }),
      { numRuns: 500 },
    )
  })
})

describe('a compressed body', () => {
  const options = (changes: Partial<CompressionOptions>): CompressionOptions => ({
    compressMsgBodyOverHowmuch: 10,
    compressLevel: 5,
    compressType: 'ZLIB',
    compressors: {},
    ...changes,
  })
  const backwards = {
    compress: (body: Uint8Array) => Buffer.from(body).reverse(),
    decompress: (body: Uint8Array) => Buffer.from(body).reverse(),
  }
  const body = Buffer.from('0123456789abcdef')

  test('by any method comes back, and says by which in its flag', () => {
    for (const [compressType, compressors, bits] of [
      ['ZLIB', {}, 3],
      ['LZ4', { lz4: backwards }, 1],
      ['ZSTD', { zstd: backwards }, 2],
    ] as const) {
      const sent = compressBody(body, 0x4, options({ compressType, compressors }))
      assert.equal(sent.sysFlag & 0x4, 0x4)
      assert.equal(sent.sysFlag & 1, 1)
      assert.equal((sent.sysFlag >> 8) & 7, bits)
      assert.deepEqual(Buffer.from(decompressBody(sent.body, sent.sysFlag, compressors)), body)
    }
  })

  test('by a method that is not there is refused before it is sent', () => {
    for (const compressType of ['LZ4', 'ZSTD'] as const)
      assert.throws(() => compressBody(body, 0, options({ compressType })), {
        code: 'ARGUMENT',
        message: new RegExp(`needs compressors.${compressType.toLowerCase()}`),
      })
  })

  test('that is small stays as it is', () => {
    assert.deepEqual(compressBody(body, 0, options({ compressMsgBodyOverHowmuch: 17 })), { body, sysFlag: 0 })
    assert.equal(compressBody(body, 0, options({ compressMsgBodyOverHowmuch: 16 })).sysFlag & 1, 1)
  })

  test('that inflates to more than 64 MiB is refused', () => {
    const bomb = deflateSync(Buffer.alloc(64 * 1024 * 1024 + 1))
    assert.throws(() => decompressBody(bomb, 0x301), { code: 'MESSAGE' })
    assert.ok(inflateSync(bomb).length > 64 * 1024 * 1024)
  })
})

describe('batches', () => {
  const draftOf = (body: string) =>
    ({
      body: Buffer.from(body),
      flag: body.length,
      properties: new Map([['UNIQ_KEY', body]]),
      topic: 'T',
      sysFlag: 0,
      msgId: body,
      batch: false,
    }) as never

  test('of any messages are unpacked as they were packed', () => {
    fc.assert(
      fc.property(fc.array(fc.string({ minLength: 1, maxLength: 50 }), { maxLength: 20 }), bodies => {
        const bytes = encodeBatch(
          bodies.map(body => ({ body: Buffer.from(body), flag: 1, properties: new Map([['k', 'v']]) })),
        )
        const unpacked = unpackInnerBatch({ sysFlag: 0x80 | 0x40, body: bytes, queueOffset: 5 } as never)
        assert.deepEqual(
          unpacked.map(({ body, queueOffset }) => [Buffer.from(body).toString(), queueOffset]),
          bodies.map((body, n) => [body, 5 + n]),
        )
      }),
    )
  })

  test('are split without losing one, in their order, none above the limit but a single large one', () => {
    fc.assert(
      fc.property(fc.array(fc.integer({ min: 1, max: 400 }), { maxLength: 40 }), sizes => {
        const drafts = sizes.map((size, n) => draftOf(`${n}`.padEnd(size, '.')))
        const groups = splitBySize<never>(drafts, 500)
        assert.deepEqual(groups.flat(), drafts)
        for (const group of groups) assert.ok(group.length === 1 || encodeBatch(group).length <= 500)
      }),
    )
  })
})

describe('a codec of JSON', () => {
  test('writes and reads what JSON can hold', async () => {
    await fc.assert(
      fc.asyncProperty(fc.jsonValue(), async value => {
        const codec = jsonCodec<unknown>()
        assert.deepEqual(await codec.decode(await codec.encode(value)), JSON.parse(JSON.stringify(value)))
      }),
      { numRuns: 50 },
    )
  })

  test('refuses what it cannot hold', async () => {
    for (const value of [undefined, () => 1, Symbol('s')])
      await assert.rejects(async () => jsonCodec<unknown>().encode(value), {
        code: 'MESSAGE',
        message: /cannot be written as JSON/,
      })
  })

  test('reads a part of a larger buffer', async () => {
    const buffer = Buffer.from('xx{"a":1}yy')
    assert.deepEqual(await jsonCodec<unknown>().decode(buffer.subarray(2, 9)), { a: 1 })
  })

  test('of a schema that answers later waits for it, and names each place of what does not fit', async () => {
    const schema: StandardSchema<unknown, { n: number }> = {
      '~standard': {
        version: 1,
        vendor: 'test',
        validate: async value =>
          typeof (value as { n?: unknown }).n === 'number'
            ? { value: value as { n: number } }
            : {
                issues: [
                  { message: 'no number', path: ['n'] },
                  { message: 'wrong', path: [{ key: 'a' }, 0] },
                  { message: 'bad' },
                ],
              },
      },
    }
    const codec = jsonCodec(schema)
    assert.deepEqual(await codec.decode(Buffer.from('{"n":1}')), { n: 1 })
    await assert.rejects(async () => codec.decode(Buffer.from('{}')), { message: /n: no number; a.0: wrong; bad$/ })
  })
})
