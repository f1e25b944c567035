import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  BadFrame,
  type Command,
  decodeFrame,
  defaultMaxFrameBytes,
  encodeFrame,
  FrameParser,
  HeaderForm,
} from '../src/index.ts'

const jsonVector =
  '000000960000008d7b22636f6465223a3331302c226578744669656c6473223a7b2261223a225047222c2262223a22546f70696341222c2265223a2233227d2c22666c6167223a302c226c616e6775616765223a224a415641222c226f7061717565223a372c2273657269616c697a655479706543757272656e74525043223a224a534f4e222c2276657273696f6e223a3430397d68656c6c6f'
const binaryVector =
  '0000003c0100003301360001990000000700000000000000000000001e00016100000002504700016200000006546f70696341000165000000013368656c6c6f'
const emptyValueVector = '000000280100002400220000000000000b00000000000000000000000f000161000000000001620000000131'

const sample = (form: HeaderForm): Command => ({
  code: 310,
  language: 0,
  version: 409,
  opaque: 7,
  flag: 0,
  extFields: { a: 'PG', b: 'TopicA', e: '3' },
  body: Buffer.from('hello'),
  form,
})
const decoded = (bytes: Buffer): Command => decodeFrame(bytes, 0, bytes.length)

function frameOf(header: string | Buffer, { type = 0, body = '' } = {}): Buffer {
  const head = Buffer.from(header as string)
  const words = Buffer.alloc(8)
  words.writeInt32BE(4 + head.length + body.length, 0)
  words.writeInt32BE((type << 24) | head.length, 4)
  return Buffer.concat([words, head, Buffer.from(body)])
}

/** Frames that the parser found, copied, for chunks cut at the given sizes. */
function parse(bytes: Buffer, sizes: readonly number[], maxFrameBytes = defaultMaxFrameBytes): Buffer[] {
  const found: Buffer[] = []
  const parser = new FrameParser({ maxFrameBytes })
  let at = 0
  for (let i = 0; at < bytes.length; i++) {
    const size = sizes[i % sizes.length] as number
    parser.push(Buffer.from(bytes.subarray(at, at + size)), (b, s, e) => found.push(Buffer.from(b.subarray(s, e))))
    at += size
  }
  return found
}

test('the JSON vector is written and read', () => {
  assert.equal(encodeFrame(sample(HeaderForm.json)).toString('hex'), jsonVector)
  assert.deepEqual(decoded(Buffer.from(jsonVector, 'hex')), sample(HeaderForm.json))
})

test('the binary vector is written and read', () => {
  assert.equal(encodeFrame(sample(HeaderForm.binary)).toString('hex'), binaryVector)
  assert.deepEqual(decoded(Buffer.from(binaryVector, 'hex')), sample(HeaderForm.binary))
})

test('an empty value of the binary form is written and reads back as absent', () => {
  const command: Command = {
    code: 34,
    language: 0,
    version: 0,
    opaque: 11,
    flag: 0,
    remark: '',
    extFields: { a: '', b: '1' },
    form: HeaderForm.binary,
  }
  assert.equal(encodeFrame(command).toString('hex'), emptyValueVector)
  const back = decoded(Buffer.from(emptyValueVector, 'hex'))
  assert.deepEqual(back.extFields, { b: '1' })
  assert.equal(back.remark, undefined)
})

test('POP codes come back from 16 bits in requests, not in replies', () => {
  for (const code of [200050, 200051, 200052, 200053, 200054, 200055, 200056, 200151]) {
    assert.equal(decoded(encodeFrame({ ...sample(HeaderForm.binary), code })).code, code)
  }
  assert.equal(decoded(encodeFrame({ ...sample(HeaderForm.binary), code: 200050, flag: 1 })).code, 3442)
})

const bad: Record<string, Buffer> = {
  'length 3': Buffer.from('0000000300000000', 'hex'),
  'length 0': Buffer.from('00000000', 'hex'),
  'negative length': Buffer.from('ffffffff', 'hex'),
  'length over the maximum': Buffer.from('00fffffd', 'hex'),
  'header longer than the frame': Buffer.from('0000000800000005', 'hex'),
  'type 2': frameOf('{}', { type: 2 }),
  'empty JSON header': frameOf(''),
  'JSON header null': frameOf('null'),
  'JSON header []': frameOf('[]'),
  'no JSON': frameOf('{"code":'),
  'code out of range': frameOf('{"code":4294967296}'),
  'code that is no number': frameOf('{"code":"x"}'),
  'extFields that are a list': frameOf('{"extFields":[1]}'),
  'deep nesting': frameOf('{"extFields":'.repeat(100)),
  'binary header cut short': frameOf(Buffer.alloc(20), { type: 1 }),
  'binary remark behind the end': frameOf(Buffer.from(`${'00'.repeat(13)}000000090000`, 'hex'), { type: 1 }),
  'binary entry behind the end': frameOf(Buffer.from(`${'00'.repeat(13)}0000000000000008000161000000ff31`, 'hex'), {
    type: 1,
  }),
}
for (const [name, bytes] of Object.entries(bad)) {
  test(`${name} is a bad frame`, () => {
    for (const sizes of [[bytes.length], [1], [3]]) {
      assert.throws(() => {
        for (const frame of parse(bytes, sizes)) decoded(frame)
      }, BadFrame)
    }
  })
}

test('a frame of exactly the maximum is accepted, one more byte is not', () => {
  const frame = frameOf('{}', { body: 'x'.repeat(90) })
  assert.equal(frame.length, 100)
  assert.equal(parse(frame, [7], 100).length, 1)
  assert.throws(() => parse(frame, [7], 99), BadFrame)
})

test('the tolerant header reader follows remoting.md 2.2', () => {
  const read = (text: string) => decoded(frameOf(text))
  assert.deepEqual(read('{}'), { code: 0, language: undefined, version: 0, opaque: 0, flag: 0, extFields: {}, form: 0 })
  assert.equal(read('\ufeff{"code":34}').code, 34)
  assert.equal(read('{"code":"34","opaque":"-5"}').opaque, -5)
  assert.equal(read('{"language":"GO"}').language, 9)
  assert.equal(read('{"language":9}').language, 9)
  assert.equal(read('{"language":"KLINGON"}').language, undefined)
  assert.equal(read('{"language":99}').language, undefined)
  assert.equal(read('{"remark":null,"extFields":null}').remark, undefined)
  assert.deepEqual(
    read('{"extFields":{"i":3,"l":9223372036854775807,"d":1.50,"t":true,"n":null,"s":"x"},"unknown":[{}]}').extFields,
    { i: '3', l: '9223372036854775807', d: '1.50', t: 'true', s: 'x' },
  )
  assert.deepEqual(read("{code:10,'extFields':{'a':'b',},}").extFields, { a: 'b' })
})

test('a remark is written only when there is one, extFields always', () => {
  const text = (command: Command) => encodeFrame(command).toString('utf8', 8)
  const bare: Command = { code: 0, language: 0, version: 1, opaque: 2, flag: 1, extFields: {}, form: HeaderForm.json }
  assert.equal(
    text(bare),
    '{"code":0,"extFields":{},"flag":1,"language":"JAVA","opaque":2,"serializeTypeCurrentRPC":"JSON","version":1}',
  )
  assert.match(text({ ...bare, remark: 'wäre' }), /"opaque":2,"remark":"wäre","serialize/)
})

const int32 = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })
const fullText = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 20 })
const commands = fc.record({
  code: fc.integer({ min: -32768, max: 3000 }),
  language: fc.option(fc.integer({ min: 0, max: 13 }), { nil: undefined }),
  version: fc.integer({ min: -32768, max: 32767 }),
  opaque: int32,
  flag: int32,
  remark: fc.option(fullText, { nil: undefined }),
  extFields: fc.dictionary(fullText, fullText, { maxKeys: 6 }).map(fields => ({ ...fields })),
  body: fc.option(fc.uint8Array({ minLength: 1, maxLength: 300 }), { nil: undefined }),
})

test('any command round-trips in both forms', () => {
  fc.assert(
    fc.property(commands, fc.constantFrom(HeaderForm.json, HeaderForm.binary), (fields, form) => {
      const command = { ...fields, form }
      const back = decoded(encodeFrame(command))
      const language = form === HeaderForm.binary ? (fields.language ?? 7) : fields.language
      assert.deepEqual(
        { ...back, remark: back.remark, body: back.body && Uint8Array.from(back.body) },
        { ...command, language },
      )
    }),
  )
})

test('the fast and the tolerant way read a JSON header alike', () => {
  fc.assert(
    fc.property(commands, fields => {
      const text = encodeFrame({ ...fields, body: undefined, form: HeaderForm.json }).toString('utf8', 8)
      // A trailing comma is Java's dialect, which JSON.parse refuses.
      const tolerant = decoded(frameOf(`${text.slice(0, -1)},}`))
      assert.deepEqual(tolerant, decoded(frameOf(text)))
    }),
  )
})

test('frames are found whatever the chunks are', () => {
  fc.assert(
    fc.property(
      fc.array(commands, { minLength: 1, maxLength: 5 }),
      fc.array(fc.integer({ min: 1, max: 400 }), { minLength: 1 }),
      (list, sizes) => {
        const frames = list.map(fields => encodeFrame({ ...fields, form: HeaderForm.json }))
        assert.deepEqual(parse(Buffer.concat(frames), sizes), frames)
      },
    ),
  )
  const frames = [jsonVector, binaryVector, emptyValueVector].map(hex => Buffer.from(hex, 'hex'))
  assert.deepEqual(parse(Buffer.concat(frames), [1]), frames)
})

test('every truncated prefix waits, and the rest completes it', () => {
  for (const hex of [jsonVector, binaryVector]) {
    const bytes = Buffer.from(hex, 'hex')
    for (let cut = 0; cut < bytes.length; cut++) {
      const parser = new FrameParser()
      const found: string[] = []
      const sink = (b: Buffer, s: number, e: number) => found.push(b.toString('hex', s, e))
      parser.push(bytes.subarray(0, cut), sink)
      assert.deepEqual(found, [])
      assert.equal(parser.retainedBytes, cut)
      parser.push(bytes.subarray(cut), sink)
      assert.deepEqual(found, [hex])
      assert.equal(parser.retainedBytes, 0)
    }
  }
})

test('every truncated header is a bad frame', () => {
  for (const hex of [jsonVector, binaryVector]) {
    const bytes = Buffer.from(hex, 'hex')
    const headerBytes = bytes.readUIntBE(5, 3)
    for (let cut = 1; cut < headerBytes; cut++) {
      const short = frameOf(bytes.subarray(8, 8 + cut), { type: bytes[4] as number })
      assert.throws(() => decoded(short), BadFrame, `${cut} bytes`)
    }
  }
})

test('whole frames are not copied', () => {
  const bytes = Buffer.concat([Buffer.from(jsonVector, 'hex'), Buffer.from(binaryVector, 'hex')])
  new FrameParser().push(bytes, seen => assert.equal(seen, bytes))
})

test('a large announced length takes no memory before its bytes come', () => {
  const parser = new FrameParser()
  parser.push(Buffer.from('00fffffc0000000a7b', 'hex'), () => assert.fail('no frame yet'))
  assert.equal(parser.retainedBytes, 9)
})

test('random bytes are bad frames or wait, and nothing else', () => {
  const mutated = fc
    .tuple(fc.constantFrom(jsonVector, binaryVector), fc.nat(), fc.uint8Array({ minLength: 1, maxLength: 4 }))
    .map(([hex, at, bytes]) => {
      const frame = Buffer.from(hex, 'hex')
      frame.set(bytes.subarray(0, 4), at % (frame.length - 4))
      return frame as Uint8Array
    })
  fc.assert(
    fc.property(fc.oneof(fc.uint8Array({ maxLength: 200 }), mutated), bytes => {
      try {
        new FrameParser().push(Buffer.from(bytes), (b, s, e) => decodeFrame(b, s, e))
      } catch (error) {
        assert.ok(error instanceof BadFrame, String(error))
      }
    }),
    { numRuns: 2000 },
  )
})

test('each buffer that a parser outgrew, finished or gave up is given back once, and none that is handed on', () => {
  const given: Buffer[] = []
  const parser = new FrameParser({
    giveBack: bytes => {
      assert.ok(!given.includes(bytes), 'given back twice')
      given.push(bytes)
    },
  })
  const frame = encodeFrame({ ...sample(HeaderForm.json), body: Buffer.alloc(100_000) })
  let found = 0
  const sink = (bytes: Buffer, start: number, end: number) => {
    found++
    assert.ok(!given.includes(bytes))
    assert.equal(decodeFrame(bytes, start, end).body?.length, 100_000)
  }
  for (let at = 0; at < frame.length; at += 1000) parser.push(frame.subarray(at, at + 1000), sink)
  assert.equal(found, 1)
  const outgrown = given.length
  assert.ok(outgrown >= 2)
  assert.ok(given.at(-1)?.length === frame.length)
  parser.push(frame.subarray(0, 50_000), sink)
  assert.equal(parser.retainedBytes, 50_000)
  parser.end()
  assert.equal(given.length, outgrown + 1)
  assert.equal(parser.heldBytes, 0)
})

test('the bytes of a long frame that came in pieces can be kept; those of a short one, and of a chunk, cannot', () => {
  for (const [bodyBytes, chunkBytes, kept] of [
    [300_000, 50_000, true],
    [300_000, 400_000, false],
    [10_000, 5000, false],
  ] as const) {
    const given: Buffer[] = []
    const parser = new FrameParser({ giveBack: bytes => given.push(bytes) })
    const frame = encodeFrame({ ...sample(HeaderForm.json), body: Buffer.alloc(bodyBytes) })
    let handed: Buffer | undefined
    for (let at = 0; at < frame.length; at += chunkBytes)
      parser.push(frame.subarray(at, at + chunkBytes), bytes => {
        handed = bytes
        assert.equal(parser.keepFrame(), kept)
      })
    assert.equal(given.includes(handed as Buffer), !kept && bodyBytes < chunkBytes ? false : !kept)
    assert.equal(parser.keepFrame(), false)
  }
})

test('frames of many pieces come out as they went in, and hold no more than has come', () => {
  const random = (n: number) => Buffer.from(Array.from({ length: n }, (_, i) => (i * 31 + (i >> 8)) & 0xff))
  const frames = [700_000, 10, 262_144, 1_000_001, 300].map(bytes =>
    encodeFrame({ ...sample(HeaderForm.json), body: random(bytes) }),
  )
  const bytes = Buffer.concat(frames)
  const cuts = fc.array(fc.integer({ min: 1, max: 400_000 }), { minLength: 1, maxLength: 30 })
  fc.assert(
    fc.property(cuts, sizes => {
      const found: Buffer[] = []
      const parser = new FrameParser({ giveBack: given => given.fill(0) })
      for (let at = 0, i = 0; at < bytes.length; i++) {
        const to = at + Math.max(i > 100 ? 50_000 : 1, sizes[i % sizes.length] as number)
        parser.push(bytes.subarray(at, to), (b, s, e) => found.push(Buffer.from(b.subarray(s, e))))
        assert.ok(parser.heldBytes <= 4 * parser.retainedBytes + 2048)
        assert.ok(parser.heldBytes <= parser.retainedBytes + 256 * 1024)
        at = to
      }
      assert.equal(found.length, frames.length)
      for (const [i, frame] of frames.entries()) assert.ok(found[i]?.equals(frame))
    }),
    { numRuns: 60 },
  )
})
