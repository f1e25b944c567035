import { AdminError, type FoundMessage, type NamedQueue, readQueue, readQueues } from '@skua-mq/admin'
import { needed, text, time, truth, whole } from '../frame/flag.ts'
import { type Context, stream } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'
import { messageLine } from './message-record.ts'

/** Bodies are shown as UTF-8; other texts would be shown wrong. */
function checkCharset(name: string | undefined): void {
  if (name !== undefined && !/^utf-?8$/i.test(name))
    throw new AdminError('ARGUMENT', `-c ${name}: bodies are shown as UTF-8 here; --json gives others as base64`)
}

const range = {
  charsetName: text('c', 'charsetName', 'UTF-8'),
  subExpression: text('s', 'subExpression', 'only these tags: A || B'),
  beginTimestamp: time('b', 'beginTimestamp', 'stored at this time or later'),
  endTimestamp: time('e', 'endTimestamp', 'stored at this time or before'),
}

const all = {
  topic: needed(text('t', 'topic', 'name of the topic')),
  ...range,
  printBody: truth('d', 'printBody', 'with the bodies (default: true)'),
}

export const printMsg = stream({
  requests: '105, 106, 30, 31, 29, 11',
  notes: 'Queue by queue; nothing is committed',
  flags: all,
  stream: async function* ({ session, flags }: Context<typeof all>): AsyncGenerator<FoundMessage> {
    checkCharset(flags.charsetName)
    const { subExpression: tags, beginTimestamp: beginMs, endTimestamp: endMs } = flags
    for (const queue of await readQueues(session, flags.topic))
      yield* readQueue(session, queue, { tags, beginMs, endMs })
  },
  show: (message, { flags: { printBody = true } }) => [messageLine(message, printBody)],
})

const ofQueue = {
  topic: needed(text('t', 'topic', 'name of the topic')),
  brokerName: needed(text('a', 'brokerName', 'name of the broker')),
  queueId: needed(whole('i', 'queueId', 'queue id')),
  ...range,
  printMsg: truth('p', 'print-msg', 'print the messages (default: false)'),
  printBody: truth('d', 'printBody', 'with the bodies (default: false)'),
  calculate: truth('f', 'calculate', 'count them by tag (default: false)'),
}

/** A message, or at the end how many there were of a tag. */
type Printed = FoundMessage | { readonly tag: string; readonly count: number }

export const printMsgByQueue = stream({
  requests: '106, 30, 31, 29, 11',
  notes: 'Nothing is committed',
  flags: ofQueue,
  stream: async function* ({ session, flags }: Context<typeof ofQueue>): AsyncGenerator<Printed> {
    checkCharset(flags.charsetName)
    const { topic, brokerName, queueId, subExpression: tags, beginTimestamp: beginMs, endTimestamp: endMs } = flags
    const queue: NamedQueue = { topic, brokerName, queueId }
    const counts = new Map<string, number>()
    for await (const message of readQueue(session, queue, { tags, beginMs, endMs })) {
      const tag = message.tags ?? ''
      counts.set(tag, (counts.get(tag) ?? 0) + 1)
      if (flags.printMsg === true) yield message
    }
    if (flags.calculate !== true) return
    for (const [tag, count] of [...counts].sort(([, a], [, b]) => b - a)) yield { tag, count }
  },
  show: (printed, { flags: { printBody = false } }) => [
    'msgId' in printed
      ? messageLine(printed, printBody)
      : lines(`Tag: ${printed.tag.padEnd(30)} Count: ${printed.count}`),
  ],
})
