import assert from 'node:assert/strict'
import test from 'node:test'
import fc from 'fast-check'
import {
  encodeHost,
  offsetMessageId,
  parseAddress,
  parseHost,
  parseOffsetMessageId,
  parseUniqueId,
  printAddress,
  printHost,
  readHost,
  UniqueIds,
  writeOffsetMessageId,
} from '../../src/message/index.ts'

test("the offset message id is Java's", () => {
  const storeHost = encodeHost('127.0.0.1', 10911) as Buffer
  assert.equal(offsetMessageId(storeHost, 123456789), '7F00000100002A9F00000000075BCD15')
  assert.deepEqual(parseOffsetMessageId('7F00000100002A9F00000000075BCD15'), {
    address: '127.0.0.1',
    port: 10911,
    physicalOffset: 123456789,
  })
})

test('any offset and host survive an id, and it is written in place', () => {
  const ip = fc.oneof(fc.uint8Array({ minLength: 4, maxLength: 4 }), fc.uint8Array({ minLength: 16, maxLength: 16 }))
  fc.assert(
    fc.property(ip, fc.nat(65535), fc.maxSafeNat(), (address, port, physicalOffset) => {
      const storeHost = encodeHost(printAddress(address), port) as Buffer
      assert.deepEqual([...storeHost.subarray(0, -4)], [...address])
      const id = offsetMessageId(storeHost, physicalOffset)
      assert.equal(id.length, address.length === 4 ? 32 : 56)
      const found = parseOffsetMessageId(id)
      assert.deepEqual(found, { address: printAddress(address), port, physicalOffset })
      const reply = Buffer.alloc(80, '.')
      assert.equal(writeOffsetMessageId(reply, 3, { storeHost, physicalOffset }), 3 + id.length)
      assert.equal(reply.toString(), `...${id}${'.'.repeat(77 - id.length)}`)
    }),
  )
})

test('what is no offset message id is not read as one', () => {
  const id = '7F00000100002A9F00000000075BCD15'
  for (let length = 0; length < id.length; length++) assert.equal(parseOffsetMessageId(id.slice(0, length)), undefined)
  assert.equal(parseOffsetMessageId(`${id.slice(0, 31)}G`), undefined)
  assert.equal(parseOffsetMessageId('7F00000100002A9FFFFFFFFF075BCD15'), undefined)
})

test('unique ids count up, carry their time and are never equal within one counter round', () => {
  const ids = new UniqueIds({ ip: Uint8Array.of(10, 0, 0, 7), pid: 0x12345, instance: 0x01020304, counter: 65535 })
  const nowMs = new Date(2024, 1, 29, 12, 0, 0, 5).getTime()
  const first = ids.next(nowMs)
  assert.match(first, /^0A000007234501020304[0-9A-F]{8}FFFF$/)
  assert.match(ids.next(nowMs), /0000$/)
  assert.deepEqual(parseUniqueId(first, nowMs + 1000), {
    address: '10.0.0.7',
    pid: 0x2345,
    instance: 0x01020304,
    bornAtMs: nowMs,
    counter: 65535,
  })
  const seen = new Set(Array.from({ length: 5000 }, () => ids.next(nowMs)))
  assert.equal(seen.size, 5000)
})

test('a unique id of last month is dated to last month', () => {
  const ids = new UniqueIds({ ip: new Uint8Array(16), pid: 1, instance: 2 })
  const bornAtMs = new Date(2023, 11, 31, 23, 59, 59).getTime()
  const id = ids.next(bornAtMs)
  assert.equal(id.length, 56)
  assert.equal(parseUniqueId(id, new Date(2024, 0, 1, 0, 0, 10).getTime())?.bornAtMs, bornAtMs)
  assert.match(ids.next(new Date(2024, 0, 1, 0, 0, 0, 7).getTime()), /000000070001$/)
  assert.equal(parseUniqueId('xyz', bornAtMs), undefined)
})

test('addresses in every form, and what is none', () => {
  const forms: [string, string][] = [
    ['1.2.3.4', '1.2.3.4'],
    ['::', '::'],
    ['::1', '::1'],
    ['[2001:DB8:0:0:0:0:0:1]', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
    ['::ffff:1.2.3.4', '::ffff:102:304'],
    ['1:0:0:2:0:0:0:3', '1:0:0:2::3'],
  ]
  for (const [text, printed] of forms) assert.equal(printAddress(parseAddress(text) as Uint8Array), printed)
  for (const text of ['', '1.2.3', '1.2.3.256', '1.2.3.4.5', 'host', ':::', '1::2::3', '1:2', '::1.2.3', 'g::1']) {
    assert.equal(parseAddress(text), undefined, text)
  }
})

test('hosts with ports', () => {
  for (const text of ['10.1.2.3:10911', '[2001:db8::1]:0', '[::]:65535']) {
    const bytes = parseHost(text) as Buffer
    assert.equal(printHost(readHost(bytes, 0, bytes.length === 20)), text)
  }
  for (const text of ['10.1.2.3', '10.1.2.3:', '10.1.2.3:x', '10.1.2.3:70000', 'name:1']) {
    assert.equal(parseHost(text), undefined, text)
  }
})
