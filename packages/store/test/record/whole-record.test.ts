import assert from 'node:assert/strict'
import { test } from 'node:test'
import { draftRecord, encodeHost, recordSize, writeRecord } from '@skua-mq/protocol'
import fc from 'fast-check'
import { RecordView } from '../../src/record/record-view.ts'
import { isWholeRecord } from '../../src/record/whole-record.ts'

const seed = 20_261_130

/** A message of either form and with hosts of either kind, as it lies in the log. */
const record = fc
  .record({
    topicBytes: fc.constantFrom(1, 20, 127, 200),
    bodyBytes: fc.nat(300),
    propertiesBytes: fc.nat(200),
    v6: fc.tuple(fc.boolean(), fc.boolean()),
    physicalOffset: fc.constantFrom(0, 91, 2 ** 31, 2 ** 32 + 5, 2 ** 41 + 2 ** 31),
  })
  .map(({ topicBytes, bodyBytes, propertiesBytes, v6, physicalOffset }) => {
    const draft = draftRecord({
      topic: Buffer.alloc(topicBytes, 't'),
      body: Buffer.alloc(bodyBytes, 'b'),
      properties: Buffer.alloc(propertiesBytes, 'p'),
      bornHost: encodeHost(v6[0] ? '::1' : '10.0.0.1', 1)!,
      storeHost: encodeHost(v6[1] ? '::1' : '10.0.0.1', 1)!,
      physicalOffset,
    })
    const bytes = Buffer.alloc(recordSize(draft))
    writeRecord(bytes, 0, draft)
    return { bytes, physicalOffset }
  })

const parsed = (bytes: Buffer, span: { from: number; to: number }, offset: number): boolean => {
  const view = new RecordView()
  if (span.to > bytes.length) return false
  const isRecord = view.parse(bytes, span.from, span.to) === 'record'
  return isRecord && view.size === span.to - span.from && view.physicalOffset === offset
}

test('a record is whole where the view of a scan says so, whatever is damaged in it', () => {
  let [whole, damaged] = [0, 0]
  fc.assert(
    fc.property(
      record,
      fc.array(fc.tuple(fc.nat(600), fc.nat(255)), { maxLength: 2 }),
      fc.nat(40),
      fc.constantFrom(0, 0, 0, 1, -1),
      ({ bytes, physicalOffset }, changes, before, longer) => {
        const among = Buffer.concat([Buffer.alloc(before, 7), bytes, Buffer.alloc(3, 9)])
        const span = { from: before, to: before + bytes.length + longer }
        for (const [at, byte] of changes) if (at < bytes.length) among[before + at] = byte
        const expected = parsed(among, span, physicalOffset)
        assert.equal(isWholeRecord(among, span, physicalOffset), expected)
        assert.equal(isWholeRecord(among, span, physicalOffset + 1), false)
        if (expected) whole++
        else damaged++
      },
    ),
    { seed, numRuns: 20_000 },
  )
  assert.ok(whole > 2000 && damaged > 2000, `${whole} whole, ${damaged} damaged`)
})

test('what ends before its record, or is shorter than any, is none', () => {
  fc.assert(
    fc.property(
      record,
      fc.double({ min: 0, max: 1, noNaN: true, maxExcluded: true }),
      ({ bytes, physicalOffset }, part) => {
        const cut = bytes.subarray(0, Math.floor(bytes.length * part))
        assert.equal(isWholeRecord(cut, { from: 0, to: bytes.length }, physicalOffset), false)
        assert.equal(isWholeRecord(cut, { from: 0, to: cut.length }, physicalOffset), false)
      },
    ),
    { seed, numRuns: 2_000 },
  )
})
