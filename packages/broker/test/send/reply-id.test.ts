import assert from 'node:assert/strict'
import { test } from 'node:test'
import { ByteWriter } from '@skua-mq/protocol'
import { ReplyId } from '../../src/send/reply-id.ts'
import { World } from '../world.ts'

const ids = [
  '7F0000010B9C63D4AEDC0F2C4A5B0001',
  'x'.repeat(64),
  'x'.repeat(65),
  'x'.repeat(5000),
  'a"b',
  'a\\b',
  'a\nb\u007f',
  'schön',
  '\u4e2d\u6587',
  ' ~',
]

const written = (write: (out: ByteWriter) => void) => {
  const out = new ByteWriter(16)
  write(out)
  return out.bytes.subarray(0, out.at)
}

test('an id is written as it came, in either form of header, whatever stood there before', () => {
  const id = new ReplyId()
  for (const text of [...ids, ...ids.reverse()]) {
    const around = Buffer.from(`<${text}>`)
    id.copy(around, 1, around.length - 1)
    // Read buffers are used again before the reply is written.
    around.fill(0)
    assert.equal(id.isEmpty, false)
    assert.equal(JSON.parse(written(out => id.json(out)).toString()), text)
    const binary = written(out => id.binary(out, 'transactionId'))
    assert.equal(binary.toString('latin1', 2, 15), 'transactionId')
    assert.equal(binary.readInt16BE(0), 13)
    assert.equal(binary.readInt32BE(15), binary.length - 19)
    assert.equal(binary.toString('utf8', 19), text)
  }
  id.copy(Buffer.from('abc'), 1, 1)
  assert.equal(id.isEmpty, true)
  id.set('made "here"')
  assert.equal(JSON.parse(written(out => id.json(out)).toString()), 'made "here"')
  id.clear()
  assert.equal(id.isEmpty, true)
})

test('sends that wait together are each told their own id, and one without an id the one that it got', async () => {
  const world = await new World().start()
  const peer = world.client('client')
  await peer.send('T', 'first')
  const sent = ids.map(id => peer.send('T', 'x', { properties: { UNIQ_KEY: id } }))
  const bare = await peer.send('T', 'x')
  const told = (await Promise.all(sent)).map(reply => reply.extFields['transactionId'])
  assert.deepEqual(told, ids)
  assert.match(bare.extFields['transactionId'] ?? '', /^[0-9A-F]{32}$/)
  await world.stop()
})
