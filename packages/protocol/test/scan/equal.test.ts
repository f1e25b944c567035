import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import {
  type AckView,
  ackMessage,
  type Command,
  changeMessageInvisibleTime,
  decodeFrame,
  encodeFrame,
  HeaderForm,
  HeaderScan,
  type HotRequest,
  hotAck,
  hotPop,
  hotPull,
  hotSend,
  javaLongMax,
  notification,
  type PopView,
  type PullView,
  popMessage,
  pullMessage,
  ScanOutcome,
  type SendView,
  scanFrame,
  sendMessage,
  sendMessageV2,
  writeFields,
} from '../../src/index.ts'

/** Each of them is read in both ways below, with a generator of its headers. */
type View = SendView | PullView | PopView | AckView
const requests: readonly HotRequest<View>[] = [hotSend, hotPull, hotPop, hotAck] as HotRequest<View>[]
const requestOf = (code: number) => requests.find(request => request.fields.has(code))
const hot = (code: number) => requestOf(code)?.fields.get(code)
const properties = fc
  .tuple(fc.stringMatching(/^[a-zA-Z0-9_ ]{0,12}$/), fc.string({ maxLength: 40, unit: 'binary' }))
  .map(([name, value]) => `${name}\u0001${value}`)
const text = fc.oneof(
  fc.stringMatching(/^[%a-zA-Z0-9_-]{1,40}$/),
  fc.string({ minLength: 1, maxLength: 20, unit: 'binary' }),
)
const int = fc.integer()
const long = fc.oneof(fc.maxSafeInteger(), fc.constant(javaLongMax))
const maybe = <T>(value: fc.Arbitrary<T>) => fc.option(value, { nil: undefined })

const sendHeader = fc.record({
  producerGroup: text,
  topic: text,
  defaultTopic: text,
  defaultTopicQueueNums: int,
  queueId: int,
  sysFlag: int,
  bornTimestamp: long,
  flag: int,
  properties: maybe(properties),
  reconsumeTimes: maybe(int),
  unitMode: fc.boolean(),
  maxReconsumeTimes: maybe(fc.nat()),
  batch: fc.boolean(),
  bname: maybe(text),
})
const pullHeader = fc.record({
  consumerGroup: text,
  topic: text,
  queueId: int,
  queueOffset: long,
  maxMsgNums: int,
  sysFlag: int,
  commitOffset: long,
  suspendTimeoutMillis: long,
  subscription: maybe(text),
  subVersion: fc.oneof(long, fc.constant(Number('1795578019466641560'))),
  expressionType: maybe(text),
  maxMsgBytes: maybe(fc.nat()),
})
const popHeader = fc.record({
  ...{ consumerGroup: text, topic: text, queueId: int, maxMsgNums: int, invisibleTime: long, pollTime: long },
  ...{ bornTime: long, initMode: int, expType: maybe(text), exp: maybe(text), order: fc.boolean() },
  attemptId: maybe(text),
})
const changeHeader = fc.record({
  ...{ consumerGroup: text, topic: text, queueId: int, extraInfo: text, offset: long, invisibleTime: long },
})
const frameOf = (code: number, extFields: Record<string, string>, form: 0 | 1, body?: Uint8Array): Buffer =>
  encodeFrame({ code, language: 0, version: 409, opaque: 77, flag: 0, extFields, body, form })

/** The same header as other clients write it: other orders, numbers without quotes, further fields. */
function foreign(frame: Buffer, style: 'go' | 'ali-ons'): Buffer {
  const command = decodeFrame(frame, 0, frame.length)
  const ext: Record<string, unknown> = { ...command.extFields, AccessKey: 'x', ReqT: '1' }
  if (style === 'ali-ons')
    for (const [name, value] of Object.entries(ext))
      if (/^-?\d{1,15}$/.test(String(value)) && !/^-?0\d/.test(String(value)) && value !== '-0')
        ext[name] = Number(value)
  const order = {
    code: command.code,
    language: style === 'go' ? 'GO' : 'JAVA',
    version: 317,
    opaque: command.opaque,
    flag: command.flag,
    ...(style === 'go' ? { remark: '' } : {}),
    extFields: ext,
  }
  const header = Buffer.from(JSON.stringify(order))
  const body = command.body ?? Buffer.alloc(0)
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + header.length + body.length, 0)
  head.writeInt32BE(header.length, 4)
  return Buffer.concat([head, header, body])
}

/** What a view says, wherever its bytes lie. */
const plain = (view: View) =>
  'body' in view
    ? {
        ...view,
        properties: view.properties.subarray(view.propertiesStart, view.propertiesEnd).toString('hex'),
        body: view.body.subarray(view.bodyStart, view.bodyEnd).toString('hex'),
        ...{ propertiesStart: 0, propertiesEnd: 0, bodyStart: 0, bodyEnd: 0 },
      }
    : { ...view }

function outcome<T>(run: () => T): T | string {
  try {
    return run()
  } catch (error) {
    return (error as Error).name
  }
}

function viaTable(frame: Buffer): unknown {
  const command: Command = decodeFrame(frame, 0, frame.length)
  const request = requestOf(command.code)!
  return outcome(() => {
    const view = new request.view()
    request.fillFromCommand(view, command)
    return plain(view)
  })
}

function viaScan(frame: Buffer): unknown {
  const scan = new HeaderScan()
  if (scanFrame(frame, { start: 0, end: frame.length }, hot, scan) === ScanOutcome.other) return 'other'
  const request = requestOf(scan.code)!
  return outcome(() => {
    const view = new request.view()
    request.fill(view, scan, frame[4] === 1 ? 1 : 0)
    return plain(view)
  })
}

test('a scanned send is what the table reads, in both forms and every client’s order', () => {
  fc.assert(
    fc.property(sendHeader, fc.constantFrom(10, 310, 320), fc.uint8Array({ maxLength: 64 }), (header, code, body) => {
      const spec = code === 10 ? sendMessage : sendMessageV2
      const ext = writeFields(spec.header as typeof sendMessage.header, header)
      for (const form of [HeaderForm.json, HeaderForm.binary]) {
        const frame = frameOf(code, ext, form, body.length > 0 ? body : undefined)
        assert.deepEqual(viaScan(frame), viaTable(frame))
        assert.notEqual(viaScan(frame), 'other')
      }
      const frame = frameOf(code, ext, HeaderForm.json, body)
      for (const style of ['go', 'ali-ons'] as const) {
        assert.notEqual(viaScan(foreign(frame, style)), 'other')
        assert.deepEqual(viaScan(foreign(frame, style)), viaTable(foreign(frame, style)))
      }
    }),
    { numRuns: 300 },
  )
})

test('a scanned pull is what the table reads', () => {
  fc.assert(
    fc.property(pullHeader, fc.constantFrom(11, 361), (header, code) => {
      const ext = writeFields(pullMessage.header, header)
      for (const form of [HeaderForm.json, HeaderForm.binary]) {
        const frame = frameOf(code, ext, form)
        assert.deepEqual(viaScan(frame), viaTable(frame))
      }
      const frame = frameOf(code, ext, HeaderForm.json)
      for (const style of ['go', 'ali-ons'] as const)
        assert.deepEqual(viaScan(foreign(frame, style)), viaTable(foreign(frame, style)))
    }),
    { numRuns: 300 },
  )
})

/** As JSON, and as other clients write it: the binary form has no room for such large codes. */
function agreeOn(code: number, ext: Record<string, string>): void {
  const frame = frameOf(code, ext, HeaderForm.json)
  assert.notEqual(viaScan(frame), 'other')
  assert.deepEqual(viaScan(frame), viaTable(frame))
  for (const style of ['go', 'ali-ons'] as const)
    assert.deepEqual(viaScan(foreign(frame, style)), viaTable(foreign(frame, style)))
}

test('a scanned pop, and who waits for one, is what the table reads', () => {
  fc.assert(
    fc.property(popHeader, header => {
      agreeOn(200050, writeFields(popMessage.header, header))
      agreeOn(200054, writeFields(notification.header, header))
      const { bornTime: _born, order: _order, ...least } = writeFields(popMessage.header, header)
      agreeOn(200050, least)
    }),
    { numRuns: 300 },
  )
})

test('a scanned acknowledgement, and a change of the invisible time, is what the table reads', () => {
  fc.assert(
    fc.property(changeHeader, header => {
      agreeOn(200051, writeFields(ackMessage.header, header))
      agreeOn(200053, writeFields(changeMessageInvisibleTime.header, header))
    }),
    { numRuns: 300 },
  )
})

test('a pop or an acknowledgement that lacks a field is refused by both alike', () => {
  const names = { consumerGroup: 'g', topic: 't', queueId: 1 }
  const pop = { ...names, maxMsgNums: 1, invisibleTime: 1, pollTime: 1, bornTime: 1, initMode: 0, order: false }
  const change = { ...names, extraInfo: '1 2 3', offset: 1, invisibleTime: 1 }
  const headers: [number, Record<string, string>][] = [
    [200050, writeFields(popMessage.header, pop)],
    [200054, writeFields(notification.header, pop)],
    [200051, writeFields(ackMessage.header, change)],
    [200053, writeFields(changeMessageInvisibleTime.header, change)],
  ]
  for (const [code, whole] of headers)
    for (const name of Object.keys(whole)) {
      if (name === 'bornTime' || name === 'order') continue
      const { [name]: _gone, ...rest } = whole
      assert.equal(viaScan(frameOf(code, rest, HeaderForm.json)), 'HeaderError', `${code} ${name}`)
      assert.equal(viaTable(frameOf(code, rest, HeaderForm.json)), 'HeaderError', `${code} ${name}`)
    }
})

test('a missing or unreadable field is refused by both alike', () => {
  const whole = writeFields(pullMessage.header, {
    consumerGroup: 'g',
    topic: 't',
    queueId: 1,
    queueOffset: 2,
    maxMsgNums: 3,
    sysFlag: 0,
    commitOffset: 0,
    suspendTimeoutMillis: 0,
    subVersion: 0,
  })
  for (const name of Object.keys(whole)) {
    const { [name]: _gone, ...rest } = whole
    assert.equal(viaScan(frameOf(11, rest, HeaderForm.json)), 'HeaderError')
    assert.equal(viaTable(frameOf(11, rest, HeaderForm.json)), 'HeaderError')
    if (name !== 'consumerGroup' && name !== 'topic') {
      assert.equal(viaScan(frameOf(11, { ...whole, [name]: 'x' }, HeaderForm.json)), 'HeaderError')
      assert.equal(viaTable(frameOf(11, { ...whole, [name]: 'x' }, HeaderForm.json)), 'HeaderError')
    }
  }
})

test('damaged headers never crash the scanner, and what it takes the table takes too', () => {
  fc.assert(
    fc.property(
      sendHeader,
      fc.nat(),
      fc.nat(255),
      fc.constantFrom(HeaderForm.json, HeaderForm.binary),
      (header, at, byte, form) => {
        const frame = frameOf(310, writeFields(sendMessageV2.header as typeof sendMessage.header, header), form)
        frame[8 + (at % (frame.length - 8))] = byte
        const scanned = viaScan(frame)
        if (scanned === 'other') return
        const table = outcome(() => viaTable(frame))
        // JSON that is broken where the scanner does not look is let through by it: the frame is still one of ours.
        if (table === 'BadFrame' || table === 'HeaderError' || scanned === 'HeaderError') return
        assert.equal(typeof scanned, 'object')
      },
    ),
    { numRuns: 500 },
  )
})
