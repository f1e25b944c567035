import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import * as protocol from '../src/index.ts'
import {
  allRequests,
  bool,
  boundaryType,
  type Command,
  decodeFrame,
  double,
  encodeFrame,
  type Field,
  type Fields,
  HeaderError,
  HeaderForm,
  int,
  javaLongMax,
  long,
  notSupported,
  otherCodes,
  type RequestSpec,
  readFields,
  requestByCode,
  requestName,
  text,
  version,
  writeFields,
} from '../src/index.ts'

/** Tiers T1 and T2 of the index in remoting.md 7, POP, timers, the T4 requests that have a handler, and those of our own (30,001 on). */
const wanted = [
  10, 11, 12, 14, 15, 17, 18, 21, 25, 26, 28, 29, 30, 31, 32, 33, 34, 35, 36, 37, 38, 39, 40, 41, 42, 43, 45, 46, 50,
  51, 52, 53, 60, 61, 100, 101, 102, 103, 104, 105, 106, 200, 201, 202, 203, 204, 205, 206, 207, 208, 215, 216, 217,
  219, 220, 221, 222, 223, 224, 225, 300, 301, 302, 303, 304, 305, 306, 307, 308, 309, 310, 311, 312, 313, 314, 315,
  316, 317, 318, 319, 320, 321, 322, 323, 324, 325, 326, 327, 328, 329, 343, 345, 351, 352, 361, 370, 400, 401, 402,
  907, 30_001, 30_002, 30_003, 30_004, 30_011, 30_012, 200_050, 200_051, 200_052, 200_053, 200_054, 200_055, 200_151,
]

test('every request of tiers T1 and T2 is in the table, in order of numbers', () => {
  assert.deepEqual(
    allRequests.map(request => request.code),
    wanted,
  )
})

test('no two requests share a number or a name, also not with a retired one', () => {
  const all = [...allRequests, ...otherCodes]
  assert.equal(new Set(all.map(one => one.code)).size, all.length)
  assert.equal(new Set(all.map(one => one.name)).size, all.length)
  for (const { code, name } of all) assert.equal(requestName(code), name)
  assert.equal(requestName(99_999), undefined)
})

test('a number without a request is not found', () => {
  assert.equal(requestByCode(10), protocol.sendMessage)
  for (const { code } of otherCodes) assert.equal(requestByCode(code), undefined)
})

test('a refusal with code 3 says what was asked for, and why it is not here', () => {
  assert.match(notSupported(513), /513 \(UPDATE_AND_CREATE_STATIC_TOPIC\) .*: there are no static topics/)
  assert.match(notSupported(103), /103 \(REGISTER_BROKER\) is not supported here: it goes from broker to name server/)
  assert.equal(notSupported(99_999), 'request code 99999 is not supported')
})

test('exports are the camel case of the constants', () => {
  const exported = new Map(Object.entries(protocol).map(([name, value]) => [value as unknown, name]))
  for (const request of allRequests) {
    const name = exported.get(request)
    assert.equal(name?.toLowerCase(), request.name.replaceAll('_', '').toLowerCase())
  }
})

test('the page section of every request is given', () => {
  for (const { section, direction, name } of allRequests) {
    assert.match(section, /^(admin\.md )?\d+(\.\d)?$/, name)
    assert.match(direction, / to /, name)
  }
})

test('send headers have one shape under long and short names', () => {
  const members = Object.keys(protocol.sendMessage.header)
  assert.deepEqual(Object.keys(protocol.sendMessageV2.header), members)
  const wires = Object.values(protocol.sendMessageV2.header as Fields).map(field => field.wire)
  assert.equal(wires.join(''), 'abcdefghijklmn')
})

const texts = fc.string({ unit: 'grapheme', minLength: 1, maxLength: 30 })
const arbitraries: readonly [Field<never>, fc.Arbitrary<unknown>][] = [
  [text as Field<never>, texts],
  [int as Field<never>, fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff })],
  [long as Field<never>, fc.oneof(fc.maxSafeInteger(), fc.constant(javaLongMax))],
  // Nanoseconds as Go sends them lie above 2^53.
  [version as Field<never>, fc.oneof(fc.maxSafeInteger(), fc.constant(Number('1795578019466641560')))],
  [bool as Field<never>, fc.boolean()],
  [double as Field<never>, fc.double({ noNaN: true, noDefaultInfinity: true })],
  [boundaryType as Field<never>, fc.constantFrom('LOWER', 'UPPER')],
]

/** Fields made by optional(), as() and withDefault() keep the functions of what they were made from. */
function arbitraryOf(field: Field<unknown>): fc.Arbitrary<unknown> {
  const found = arbitraries.find(([known]) => known.parse === field.parse && known.print === field.print)
  assert.ok(found, 'an arbitrary is missing for a field type')
  return field.optional === true ? fc.option(found[1], { nil: undefined, freq: 3 }) : found[1]
}

function valuesOf(fields: Fields): fc.Arbitrary<Record<string, unknown>> {
  const members = Object.entries(fields).map(([name, field]) => [name, arbitraryOf(field)] as const)
  return fc.record(Object.fromEntries(members)).map(value => {
    const given = Object.entries(value).filter(([, member]) => member !== undefined)
    return Object.fromEntries(given)
  })
}

function commandOf(request: RequestSpec, value: Record<string, unknown>, form: HeaderForm): Command {
  const extFields = writeFields(request.header, value)
  return { code: request.code, language: 0, version: 409, opaque: 5, flag: 0, extFields, form }
}

for (const request of allRequests) {
  test(`${request.name} round-trips through both header forms`, () => {
    fc.assert(
      fc.property(valuesOf(request.header), fc.constantFrom(HeaderForm.json, HeaderForm.binary), (value, form) => {
        const frame = encodeFrame(commandOf(request, value, form))
        const command = decodeFrame(frame, 0, frame.length)
        assert.equal(command.code, request.code)
        assert.deepEqual(readFields(request.header, command.extFields), value)
      }),
      { numRuns: 20 },
    )
    fc.assert(
      fc.property(valuesOf(request.reply), value => {
        assert.deepEqual(readFields(request.reply, writeFields(request.reply, value)), value)
      }),
      { numRuns: 10 },
    )
  })

  test(`${request.name} without a required field is a HeaderError that names it`, () => {
    const [value] = fc.sample(valuesOf(request.header), 1) as [Record<string, unknown>]
    const ext = writeFields(request.header, value)
    for (const [name, field] of Object.entries(request.header)) {
      const wire = field.wire ?? name
      const { [wire]: _left, ...rest } = ext
      const read = () => readFields(request.header, rest)
      if (field.optional === true || field.fallback !== undefined) assert.doesNotThrow(read)
      else assert.throws(read, (error: unknown) => error instanceof HeaderError && error.field === wire)
    }
  })
}
