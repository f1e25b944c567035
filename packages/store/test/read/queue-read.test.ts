import assert from 'node:assert/strict'
import { test } from 'node:test'
import { GetRequest, GetResult, type MessageFilter } from '../../src/index.ts'
import { QueueRead } from '../../src/read/queue-read.ts'
import { BareStore } from '../bare-store.ts'
import { draftOf, message } from '../harness.ts'

const broken: MessageFilter = {
  matchesTag: () => true,
  matchesRecord: () => {
    throw new Error('the filter is broken')
  },
}

test('a filter that throws is a read that fails, whether the message is in memory, was read lately or is read now', async () => {
  const { parts, turn } = new BareStore()
  const read = new QueueRead(parts)
  parts.appender.append(draftOf(message('T', 'a')), { stored: ({ status }) => assert.equal(status, 'ok') })
  turn.run()
  const request = (filter?: MessageFilter) => Object.assign(new GetRequest(), { topic: 'T', filter })
  const fails = async () => {
    const result = new GetResult()
    const reading = read.get(request(broken), result)
    await assert.rejects(reading ?? Promise.resolve(), /the filter is broken/)
    assert.deepEqual([result.pinned, result.slices], [[], []])
  }
  await fails()
  parts.log.ring.cut(0)
  await fails()
  const result = new GetResult()
  assert.equal(read.get(request(), result), undefined, 'what the last one read is in memory')
  assert.equal(result.count, 1)
  await fails()
})
