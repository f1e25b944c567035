import assert from 'node:assert/strict'
import { test } from 'node:test'
import { MessageStream } from '../../src/consume/stream.ts'
import type { ReceivedMessage } from '../../src/message/received.ts'

const message = (msgId: string) => ({ msgId }) as ReceivedMessage
const stream = () => new MessageStream<undefined>(() => {})

test('the next turn of the loop acknowledges the message of the last one', async () => {
  const messages = stream()
  const verdicts = ['a', 'b'].map(id => messages.offer(message(id)))
  const seen: string[] = []
  for await (const { msgId } of messages.iterator()) {
    seen.push(msgId)
    if (seen.length === 2) break
  }
  assert.deepEqual(seen, ['a', 'b'])
  assert.deepEqual(await Promise.all(verdicts), ['CONSUME_SUCCESS', 'RECONSUME_LATER'])
})

test('an exception in the loop gives the message back', async () => {
  const messages = stream()
  const verdict = messages.offer(message('a'))
  const loop = async () => {
    for await (const { msgId } of messages.iterator()) throw new Error(msgId)
  }
  await assert.rejects(loop, /a/)
  assert.equal(await verdict, 'RECONSUME_LATER')
})

test('a message that was acknowledged is not given back by break', async () => {
  const messages = stream()
  const verdict = messages.offer(message('a'))
  for await (const received of messages.iterator()) {
    messages.ack(received)
    break
  }
  assert.equal(await verdict, 'CONSUME_SUCCESS')
})

test('closing ends waiting loops, and what no loop has taken is left alone', async () => {
  const messages = stream()
  const waiting = messages.iterator().next()
  messages.close()
  assert.deepEqual(await waiting, { done: true, value: undefined })
  const other = stream()
  const untaken = other.offer(message('a'))
  other.close()
  assert.equal(await untaken, 'ABANDONED')
  assert.equal(await other.offer(message('b')), 'ABANDONED')
})

test('a signal ends the wait with its reason, and the next message goes to another loop', async () => {
  const messages = stream()
  const abort = new AbortController()
  const gone = messages.iterator(abort.signal).next()
  const other = messages.iterator().next()
  abort.abort(new Error('enough'))
  await assert.rejects(gone, /enough/)
  void messages.offer(message('a'))
  assert.equal((await other).value?.msgId, 'a')
})
