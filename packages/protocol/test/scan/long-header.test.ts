import assert from 'node:assert/strict'
import { test } from 'node:test'
import { HeaderScan, hotSend, ScanOutcome, scanFrame } from '../../src/index.ts'

const mega = 1_000_000

/** A frame of this header, in either form, as the scanner sees it. */
function scanned(header: Buffer, form: 0 | 1): { outcome: ScanOutcome; ms: number; scan: HeaderScan } {
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + header.length, 0)
  head.writeUInt32BE(((form << 24) | header.length) >>> 0, 4)
  const frame = Buffer.concat([head, header])
  const scan = new HeaderScan()
  let ms = Number.POSITIVE_INFINITY
  let outcome: ScanOutcome = ScanOutcome.other
  for (let i = 0; i < 5; i++) {
    const begun = performance.now()
    outcome = scanFrame(frame, { start: 0, end: frame.length }, code => hotSend.fields.get(code), scan)
    ms = Math.min(ms, performance.now() - begun)
  }
  return { outcome, ms, scan }
}

const json = (fields: string, more = '') =>
  Buffer.from(`{"code":310,"extFields":{${fields}},${more}"flag":0,"opaque":1,"version":409}`)

/** What it costs to look at so many bytes one by one. */
function walkMs(count: number): number {
  const bytes = Buffer.alloc(count, 'x')
  let ms = Number.POSITIVE_INFINITY
  for (let i = 0; i < 5; i++) {
    const begun = performance.now()
    let at = 0
    while (at < count && bytes[at] !== 0x22) at++
    ms = Math.min(ms, performance.now() - begun)
  }
  return ms
}

test('a text of megabytes is found whole, and is not looked at byte by byte', () => {
  const text = `${'x'.repeat(2000)}\\"${'x'.repeat(15 * mega)}\\\\`
  const { outcome, ms, scan } = scanned(json(`"a":"g","i":"${text}","b":"T"`), 0)
  assert.equal(outcome, ScanOutcome.hot)
  const slot = [...scan.ends].findIndex((end, i) => end - (scan.starts[i] ?? 0) === text.length)
  assert.ok(slot >= 0)
  assert.equal(scan.escaped[slot], 1)
  const most = walkMs(15 * mega) / 2
  assert.ok(ms < most, `${ms} ms, ${most} at most`)
})

test('a header of a million members, of a name or a number of megabytes, or of quotes only is left to the decoder', () => {
  const empty = Buffer.from([0, 1, 0x7a, 0, 0, 0, 0])
  const binary = Buffer.concat([Buffer.alloc(21), ...Array.from({ length: 2 * mega }, () => empty)])
  binary.writeInt16BE(310, 0)
  binary.writeInt32BE(binary.length - 21, 17)
  assert.equal(scanned(binary, 1).outcome, ScanOutcome.other)
  const headers = [
    json(`"a":"g",${'"z":"",'.repeat(mega)}"b":"T"`),
    json('"a":"g"', '"z":null,'.repeat(mega)),
    json(`"${'z'.repeat(mega)}":"g"`),
    json(`"a":${'7'.repeat(mega)}`),
    json('"a":"g"', `"opaque":${'7'.repeat(mega)},`),
    json(`"a":"${'\\"'.repeat(mega)}"`),
    json(`"a":"${'\\\\'.repeat(mega)}"`),
  ]
  for (const header of headers)
    assert.equal(scanned(header, 0).outcome, ScanOutcome.other, header.toString('utf8', 0, 60))
})
