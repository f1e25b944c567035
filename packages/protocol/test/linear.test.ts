import assert from 'node:assert/strict'
import { test } from 'node:test'
import {
  checkClientConfig,
  compileSql,
  decodeFrame,
  encodeFrame,
  heartBeat,
  lockBatchMq,
  maxClientBodyBytes,
  maxHeaderBytes,
  maxSqlLength,
  parseJavaJson,
  parseProperties,
  parseTags,
  pullMessage,
  readFields,
  unlockBatchMq,
} from '../src/index.ts'

/** What a peer may send, by its length in bytes or characters, and who reads it. Refusing is as good as reading. */
interface Case {
  readonly name: string
  readonly longest: number
  readonly make: (length: number) => unknown
  readonly read: (input: never) => unknown
}

const text = (part: string, length: number): string => part.repeat(Math.ceil(length / part.length)).slice(0, length)

/** A header frame by hand: the encoder has limits of its own. */
function frame(header: string): Buffer {
  const bytes = Buffer.from(header)
  const out = Buffer.alloc(8 + bytes.length)
  out.writeInt32BE(4 + bytes.length, 0)
  out.writeInt32BE(bytes.length, 4)
  out.set(bytes, 8)
  return out
}

function binaryFrame(fields: Buffer): Buffer {
  const header = Buffer.alloc(21 + fields.length)
  header.writeInt32BE(fields.length, 17)
  header.set(fields, 21)
  const out = Buffer.alloc(8 + header.length)
  out.writeInt32BE(4 + header.length, 0)
  out.writeInt32BE(0x100_0000 | header.length, 4)
  out.set(header, 8)
  return out
}

const decode = (bytes: Buffer) => decodeFrame(bytes, 0, bytes.length)
const mebi = 1024 * 1024
const doubles = compileSqlOfTwo()

function compileSqlOfTwo() {
  const filter = compileSql('a > b')
  return (value: string) => filter.evaluate((name: string) => (name === 'a' ? value : '1'))
}

const headers: Case[] = [
  ['nested arrays', (n: number) => `{"code":1,"extFields":{"a":${text('[', n)}${text(']', n)}}}`],
  ['many fields', (n: number) => `{"code":1,"extFields":{${text('"a":"",', n)}"b":""}}`],
  ['many fields of the tolerant form', (n: number) => `{code:1,extFields:{${text("'a':'',", n)}b:''}}`],
  ['a long number', (n: number) => `{"code":1,"extFields":{"a":${text('7', n)}}}`],
  ['backslashes', (n: number) => `{"code":1,"remark":"${text('\\\\', n & ~1)}"}`],
  ['white space', (n: number) => `{${text(' ', n)}'code':1}`],
].map(([name, make]) => ({
  name: `header: ${name}`,
  longest: maxHeaderBytes - 64,
  make: (n: number) => frame((make as (n: number) => string)(Math.floor(n / 2))),
  read: decode as Case['read'],
}))

const bodies: Case[] = [
  ['a long number', (n: number) => `{"clientID":${text('7', n)}}`],
  [
    'a long number as text',
    (n: number) => `{"consumerDataSet":[{"groupName":"g","subscriptionDataSet":[{"subVersion":"${text('7', n)}"}]}]}`,
  ],
  ['nested objects', (n: number) => `{"clientID":${text('{"a":', n)}`],
  ['braces behind braces', (n: number) => `{"clientID":${text('{{', n)}`],
  ['many sets', (n: number) => `{"clientID":"a","producerDataSet":[${text('{},', n)}{}]}`],
  ['escapes without end', (n: number) => `{'clientID':'${text('\\"', n)}`],
  ['references to the same', (n: number) => `{"a":{"b":1},"c":[${text('{"$ref":"$.a"},', n - (n % 15))}{}]}`],
  [
    'references through maps with object keys',
    (n: number) =>
      `{a:{${text('{topic:"t"}:1,', n - (n % 14))}{topic:"u"}:{}},c:[${text('{"$ref":"$.a.x"},', n - (n % 17))}{}]}`,
  ],
].map(([name, make]) => ({
  name: `body: ${name}`,
  longest: mebi / 2,
  make: (n: number) => Buffer.from((make as (n: number) => string)(n)),
  read: (bytes: Buffer) => heartBeat.body!.decode(bytes),
}))

const expressions: Case[] = [
  ['minus signs', (n: number) => text('-', n)],
  ['zeros', (n: number) => text('0', n)],
  ['a long number', (n: number) => `a = ${text('7', n)}`],
  ['parentheses', (n: number) => text('(', n)],
  ['quotes', (n: number) => text("'", n)],
  ['stars in a comment', (n: number) => `/*${text('*', n)}`],
  ['ORs', (n: number) => `${text('a=1 OR ', n - (n % 7))}a=1`],
  ['comparisons in a chain', (n: number) => `a${text('=1', n)}`],
].map(([name, make]) => ({
  name: `SQL92: ${name}`,
  longest: maxSqlLength - 16,
  make: make as (n: number) => string,
  read: compileSql as Case['read'],
}))

const cases: Case[] = [
  ...headers,
  ...bodies,
  ...expressions,
  {
    name: 'header: many fields of the binary form',
    longest: maxHeaderBytes - 64,
    make: n => binaryFrame(Buffer.alloc(n - (n % 6))),
    read: decode as Case['read'],
  },
  {
    name: 'header: fields with long digits',
    longest: maxHeaderBytes - 64,
    make: n => ({ consumerGroup: 'g', topic: 't', queueId: text('7', n) }),
    read: (ext: Record<string, string>) => readFields(pullMessage.header, ext),
  },
  { name: 'properties without names', longest: 32_767, make: n => text('\u0002', n), read: parseProperties as never },
  {
    name: 'properties without values',
    longest: 32_767,
    make: n => text('ab\u0002', n),
    read: parseProperties as never,
  },
  {
    name: 'a property that is nearly a double',
    longest: 32_767,
    make: n => `${text('7', n)}x`,
    read: doubles as never,
  },
  {
    name: 'a property that is nearly hexadecimal',
    longest: 32_767,
    make: n => `0x${text('7', n)}x`,
    read: doubles as never,
  },
  { name: 'tags', longest: mebi / 2, make: n => text('a||', n), read: parseTags as never },
  {
    name: 'locks',
    longest: mebi / 2,
    make: n => Buffer.from(`{"mqSet":[${text('{},', n - (n % 3))}{}]}`),
    read: ((b: Buffer) => lockBatchMq.body!.decode(b)) as never,
  },
]

/** Processor time of this process, in milliseconds: on a busy machine it does not stand still, as the clock seems to. */
function spentMs(): number {
  const { user, system } = process.cpuUsage()
  return (user + system) / 1000
}

/** The cheapest of a few runs, in milliseconds: what the machine does beside is not the parser's. */
function cost({ make, read }: Case, length: number): number {
  const input = make(length) as never
  let best = Number.POSITIVE_INFINITY
  for (let run = 0; run < 4; run++) {
    const begunMs = spentMs()
    try {
      read(input)
    } catch {
      // Refused.
    }
    best = Math.min(best, spentMs() - begunMs)
    if (best > 2000) break
  }
  return best
}

/** Eight times the length: eight times the time, with room for caches and collectors; its square would be 64. */
const growth = 8
const worstFactor = 32
/** Below this a measurement says nothing. */
const noiseMs = 4

for (const one of cases) {
  test(`${one.name}: eight times as long costs about eight times as much`, () => {
    const told: string[] = []
    // A collector or a neighbour may spoil one measurement, not three.
    for (let attempt = 0; attempt < 3; attempt++) {
      const short = cost(one, Math.floor(one.longest / growth))
      const long = cost(one, one.longest)
      if (long < noiseMs + short * worstFactor) return
      told.push(`${one.longest} long: ${long.toFixed(1)} ms, an eighth of it: ${short.toFixed(2)} ms`)
    }
    assert.fail(told.join('; '))
  })
}

test('references that lead through references again and again are refused, not followed', () => {
  const chain = Array.from({ length: 20 }, (_, i) => `"r${20 - i}":{"$ref":"$.a.r${19 - i}.r${19 - i}"}`).join(',')
  assert.throws(() => parseJavaJson(`{"a":{${chain},"r0":{"$ref":"$.a"}}}`), /references lead through references/)
})

test('a header of more bytes, members, levels or digits than the limits name is a bad frame, and one at the limits is none', () => {
  const fields = (count: number) => Object.fromEntries(Array.from({ length: count }, (_, i) => [`f${i}`, 'v']))
  const plain = { code: 14, language: 0, version: 409, opaque: 1, flag: 0 }
  for (const form of [0, 1] as const) {
    assert.equal(Object.keys(decode(encodeFrame({ ...plain, extFields: fields(1000), form })).extFields).length, 1000)
    assert.throws(() => decode(encodeFrame({ ...plain, extFields: fields(1100), form })), /more than 1024/)
    assert.throws(() => encodeFrame({ ...plain, extFields: { a: 'x'.repeat(maxHeaderBytes) }, form }), RangeError)
  }
  const nested = (depth: number) => frame(`{"code":1,"extFields":{"a":${'['.repeat(depth)}${']'.repeat(depth)}}}`)
  assert.equal(decode(nested(14)).extFields['a']?.length, 28)
  assert.throws(() => decode(nested(15)), /16 levels/)
  assert.equal(decode(frame(`{"code":1,"extFields":{"a":${'7'.repeat(128)}}}`)).extFields['a']?.length, 128)
  assert.throws(() => decode(frame(`{'code':1,"extFields":{"a":${'7'.repeat(129)}}}`)), /129 digits/)
  assert.throws(() => decode(frame(`{"code":1,"remark":"${'x'.repeat(maxHeaderBytes)}"}`)), /maxHeaderBytes/)
})

test('a heartbeat or a list of locks above maxClientBodyBytes is refused before it is read', () => {
  for (const { body } of [heartBeat, checkClientConfig, lockBatchMq, unlockBatchMq]) {
    assert.ok(body!.decode(Buffer.from(`{${' '.repeat(maxClientBodyBytes - 2)}}`)))
    assert.throws(
      () => body!.decode(Buffer.from(`{${' '.repeat(maxClientBodyBytes)}}`)),
      /maxClientBodyBytes \(1048576\)/,
    )
  }
})

test('an expression of more words and signs than are read in a turn is refused with the limit', () => {
  assert.throws(() => compileSql('a or '.repeat(13_000)), /more than 24000 words and signs at position 60001/)
})

test('no more of an expression is cut into words than is read of it', () => {
  // Each has more words than may be read.
  assert.throws(() => compileSql(`a = 1 ${'0 '.repeat(30_000)}`), /position 6/)
  assert.throws(() => compileSql('-'.repeat(30_000)), /nested deeper than 200 at position 200/)
  assert.throws(() => compileSql('('.repeat(30_000)), /nested deeper than 200 at position 200/)
})
