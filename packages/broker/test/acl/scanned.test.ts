import assert from 'node:assert/strict'
import { createHmac } from 'node:crypto'
import { test } from 'node:test'
import {
  decodeFrame,
  encodeFrame,
  HeaderForm,
  HeaderScan,
  hotPull,
  hotSend,
  ScanOutcome,
  scanFrame,
} from '@skua-mq/protocol'
import { SimRandom } from '@skua-mq/runtime'
import { AclFile } from '../../src/acl/acl-file.ts'
import { AclRules } from '../../src/acl/acl-rules.ts'
import { maxPermitted, Permitted } from '../../src/acl/permitted.ts'

/** The long run gives it 100,000. */
const count = Number(process.env['SKUA_ACL_MUTANTS'] ?? 2000)
const seed = Number(process.env['SKUA_SEED'] ?? 1)
const host = '10.0.0.1'

const text = `accounts:
- accessKey: application
  secretKey: secret-of-app
  defaultTopicPerm: PUB|SUB
  defaultGroupPerm: SUB
  topicPerms:
  - Closed=DENY
- accessKey: elsewhere
  secretKey: secret-of-else
  whiteRemoteAddress: 10.0.0.*
`
const rules = new AclRules([new AclFile('/a.yml', text).content()])
const fields = (code: number) => hotSend.fields.get(code) ?? hotPull.fields.get(code)

/** What the two ways say: let in where it stands, and let in by the decoder. */
function bothWays(frame: Buffer): { scanned: boolean; decoded: boolean } {
  const scan = new HeaderScan()
  const isHot = scanFrame(frame, { start: 0, end: frame.length }, fields, scan) === ScanOutcome.hot
  const scanned = isHot && rules.lets(scan, host)
  let decoded = false
  try {
    decoded = rules.refusalOf(decodeFrame(frame, 0, frame.length), host) === undefined
  } catch (error) {
    if (!(error instanceof Error)) throw error
  }
  return { scanned, decoded }
}

interface Request {
  readonly code: number
  readonly extFields: Record<string, string>
  readonly body?: Buffer
}

function framed({ code, extFields, body = Buffer.alloc(0) }: Request, form: HeaderForm): Buffer {
  return encodeFrame({ code, language: 0, version: 409, opaque: 1, flag: 0, extFields, body, form })
}

/** Signed by Java's rule, written down here once more. */
function signed({ code, extFields, body = Buffer.alloc(0) }: Request): Request {
  const own: Record<string, string> = { ...extFields, AccessKey: 'application' }
  const values = Object.keys(own).sort()
  const hmac = createHmac('sha1', 'secret-of-app').update(values.map(key => own[key]).join(''))
  return { code, body, extFields: { ...own, Signature: hmac.update(body).digest('base64') } }
}

const send = (changes: Record<string, string> = {}): Record<string, string> => ({
  ...{ a: 'producers', b: 'Orders', c: 'TBW102', d: '4', e: '2', f: '0', g: '1764412345678', h: '0' },
  ...{ i: 'UNIQ_KEY\u00017F00\u0002KEYS\u0001ü "quoted" \\ 中文\u0002', j: '0', k: 'false', l: '16', m: 'false' },
  ...changes,
})
const pull = (changes: Record<string, string> = {}): Record<string, string> => ({
  ...{ consumerGroup: 'g', topic: 'Orders', queueId: '0', queueOffset: '7', maxMsgNums: '32', sysFlag: '6' },
  ...{
    commitOffset: '0',
    suspendTimeoutMillis: '15000',
    subVersion: '1',
    subscription: 'A || B',
    expressionType: 'TAG',
  },
  ...changes,
})
const body = Buffer.from('the body')
const forms = [HeaderForm.json, HeaderForm.binary]

test('what clients sign is let in where it stands: sends and pulls, in both forms, with what only some clients add', () => {
  for (const form of forms) {
    for (const request of [
      { code: 310, extFields: send(), body },
      { code: 320, extFields: send({ m: 'true', n: 'broker-a' }), body },
      { code: 310, extFields: send({ OnsChannel: 'ALIYUN', SecurityToken: 'token' }), body: Buffer.alloc(50_000, 'x') },
      { code: 11, extFields: pull() },
      { code: 361, extFields: pull({ bname: 'broker-a' }) },
    ])
      assert.deepEqual(
        bothWays(framed(signed(request), form)),
        { scanned: true, decoded: true },
        `${request.code}, ${form}`,
      )
  }
})

test('what has fields that nobody knows, or is large, is left to the decoder, which lets it in', () => {
  for (const request of [
    { code: 310, extFields: send({ another: 'x' }), body },
    { code: 310, extFields: send(), body: Buffer.alloc(70_000, 'x') },
  ])
    assert.deepEqual(bothWays(framed(signed(request), HeaderForm.json)), { scanned: false, decoded: true })
})

test('an address that is trusted needs no signature, and a permission that is lacking is no way around', () => {
  const trusted = { ...send(), AccessKey: 'elsewhere' }
  assert.deepEqual(bothWays(framed({ code: 310, extFields: trusted, body }, HeaderForm.json)), {
    scanned: true,
    decoded: true,
  })
  for (const request of [
    { code: 310, extFields: send({ b: 'Closed' }), body },
    { code: 11, extFields: pull({ topic: 'Closed' }) },
  ])
    for (const form of forms)
      assert.deepEqual(bothWays(framed(signed(request), form)), { scanned: false, decoded: false })
})

/** Somewhere in the fields or the body: the head around them is under no signature, and the scanner is not strict there. */
function signedByte(frame: Buffer, random: SimRandom): number {
  const bodyStart = 8 + (frame.readUInt32BE(4) & 0xff_ffff)
  const isJson = frame[4] === 0
  const first = isJson ? frame.indexOf('"extFields":{') + 13 : 8 + 21
  const end = isJson ? frame.indexOf('},"flag"') : bodyStart
  const at = random.int(end - first + frame.length - bodyStart)
  return at < end - first ? first + at : bodyStart + at - (end - first)
}

test(`of ${count} signed frames with a byte of their fields or their body changed none is let in that the decoder would not; seed ${seed}`, () => {
  const random = new SimRandom(seed)
  let lets = 0
  for (let i = 0; i < count; i++) {
    const request =
      random.int(2) === 0 ? { code: 310, extFields: send({ e: String(i) }), body } : { code: 11, extFields: pull() }
    const frame = framed(signed(request), forms[random.int(2)] as HeaderForm)
    const at = signedByte(frame, random)
    const byte = random.int(3) === 0 ? random.int(256) : 0x20 + random.int(0x5f)
    const changed = Buffer.from(frame)
    changed[at] = byte
    const { scanned, decoded } = bothWays(changed)
    if (scanned) lets++
    if (scanned && !decoded) assert.fail(`let in: ${changed.toString('latin1')}`)
  }
  // Names are under no signature where the order stays the same.
  assert.ok(lets < count / 10, `${lets}`)
})

test('what was permitted is no permission for another topic, group or request, and is forgotten in bounds', () => {
  const permitted = new Permitted()
  const account = {} as never
  permitted.add(account, { code: 11, topic: 'T', group: 'g' })
  assert.ok(permitted.has(account, { code: 11, topic: 'T', group: 'g' }))
  for (const other of [
    { code: 310, topic: 'T', group: 'g' },
    { code: 11, topic: 'U', group: 'g' },
    { code: 11, topic: 'T', group: 'h' },
  ])
    assert.equal(permitted.has(account, other), false)
  assert.equal(permitted.has({} as never, { code: 11, topic: 'T', group: 'g' }), false)
  for (let i = 0; i < maxPermitted; i++) permitted.add(account, { code: 11, topic: `T${i}`, group: 'g' })
  assert.equal(permitted.has(account, { code: 11, topic: 'T', group: 'g' }), false)
})

test('a topic that is refused is refused behind one that is permitted, on the same connection', () => {
  for (const [topic, isLetIn] of [
    ['Orders', true],
    ['Closed', false],
    ['Orders', true],
    ['Closed', false],
  ] as const)
    assert.equal(
      bothWays(framed(signed({ code: 310, extFields: send({ b: topic }), body }), HeaderForm.json)).scanned,
      isLetIn,
    )
})
