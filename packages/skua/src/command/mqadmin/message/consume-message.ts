import { AdminError, type FoundMessage, type NamedQueue, readQueue, readQueues } from '@skua-mq/admin'
import { needed, text, time, whole } from '../frame/flag.ts'
import { type Context, stream } from '../frame/subcommand.ts'
import { messageLine } from './message-record.ts'

const flags = {
  topic: needed(text('t', 'topic', 'name of the topic')),
  brokerName: text('b', 'brokerName', 'only this broker'),
  queueId: whole('i', 'queueId', 'only this queue; needs -b'),
  offset: whole('o', 'offset', 'begin with this queue offset; needs -i'),
  consumerGroup: text('g', 'consumerGroup', 'pull as this group (default: the group of tools)'),
  beginTimestamp: time('s', 'beginTimestamp', 'stored at this time or later'),
  endTimestamp: time('e', 'endTimestamp', 'stored at this time or before'),
  messageNumber: whole('c', 'MessageNumber', 'end after so many (default: 128)'),
}

export const consumeMessage = stream({
  requests: '105, 106, 30, 31, 29, 11',
  notes: 'Nothing is committed',
  flags,
  stream: async function* ({ session, flags: given }: Context<typeof flags>): AsyncGenerator<FoundMessage> {
    const {
      consumerGroup: group,
      beginTimestamp: beginMs,
      endTimestamp: endMs,
      offset: from,
      messageNumber = 128,
    } = given
    checkFlags(given)
    let left = messageNumber
    for (const queue of wanted(await readQueues(session, given.topic), given))
      for await (const message of readQueue(session, queue, { group, beginMs, endMs, from })) {
        yield message
        if (--left <= 0) return
      }
  },
  show: message => [messageLine(message, true)],
})

function checkFlags({
  brokerName,
  queueId,
  offset,
  beginTimestamp,
  endTimestamp,
  messageNumber,
}: Context<typeof flags>['flags']): void {
  const wrong = (text: string) => {
    throw new AdminError('ARGUMENT', text)
  }
  if (queueId !== undefined && brokerName === undefined) wrong('-i needs a broker: -b name')
  if (offset !== undefined && queueId === undefined) wrong('-o needs a queue: -i id')
  if (messageNumber === 0) wrong('-c 0: a positive number is wanted')
  if (beginTimestamp !== undefined && endTimestamp !== undefined && beginTimestamp > endTimestamp)
    wrong('-s is later than -e')
}

/** Errors: NOT_FOUND for a queue that the topic has not. */
function wanted(
  queues: readonly NamedQueue[],
  { topic, brokerName, queueId }: { topic: string; brokerName: string | undefined; queueId: number | undefined },
): NamedQueue[] {
  const found = queues.filter(
    queue =>
      (brokerName === undefined || queue.brokerName === brokerName) &&
      (queueId === undefined || queue.queueId === queueId),
  )
  if (found.length > 0) return found
  throw new AdminError('NOT_FOUND', `topic ${topic} has no such queue: topicStatus -t ${topic} lists them`)
}
