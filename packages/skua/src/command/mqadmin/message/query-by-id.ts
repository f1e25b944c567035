import {
  AdminError,
  type AdminSession,
  consumeDirectly,
  type FoundMessage,
  messageById,
  messagesByKey,
  messageTracks,
  sendMessage,
} from '@skua-mq/admin'
import { needed, text, toggle, truth } from '../frame/flag.ts'
import { jsonText } from '../frame/json.ts'
import { subcommand } from '../frame/subcommand.ts'
import { type Block, emptyLine, lines } from '../frame/table.ts'
import { messageRecord, type TrackedMessage } from './message-record.ts'

const consume = {
  consumerGroup: text('g', 'consumerGroup', 'with -d: this group consumes the message again'),
  clientId: text('d', 'clientId', 'member of the group that does'),
}

/** What was found, or what was done with it. */
type Found =
  | { readonly messages: readonly TrackedMessage[] }
  | { readonly done: readonly { readonly msgId: string; readonly result: unknown }[] }

const show = (found: Found): Block[] =>
  'done' in found
    ? found.done.map(({ msgId, result }) => lines(`${msgId} ${jsonText(result, 0)}`))
    : found.messages.flatMap((message, i) => [...(i === 0 ? [] : [emptyLine]), ...messageRecord(message)])

const tracked = async (session: AdminSession, message: FoundMessage): Promise<TrackedMessage> => {
  return { ...message, tracks: await messageTracks(session, message) }
}

/** A member consumes it now; nothing without both of -g and -d. */
async function consumedBy(
  session: AdminSession,
  {
    consumerGroup: group,
    clientId,
  }: { readonly consumerGroup: string | undefined; readonly clientId: string | undefined },
  messages: readonly FoundMessage[],
): Promise<Found | undefined> {
  if (group === undefined && clientId === undefined) return undefined
  if (group === undefined || clientId === undefined)
    throw new AdminError('ARGUMENT', '-g and -d belong together: which member of which group consumes the message')
  const done = []
  for (const { msgId, offsetMsgId, topic } of messages)
    done.push({ msgId, result: await consumeDirectly(session, { group, clientId }, { offsetMsgId, topic }) })
  return { done }
}

export const queryMsgById = subcommand({
  requests: '106, 33, 300, 203, 208; -g -d: 309; -s: 310',
  changes: true,
  flags: {
    topic: text('t', 'topic', 'wanted by 5.x; the id says where a message lies'),
    msgId: needed(text('i', 'msgId', 'offset ids of messages, joined by commas')),
    ...consume,
    sendMessage: truth('s', 'sendMessage', 'send the message again'),
    unitName: text('u', 'unitName', 'taken, and without effect here'),
  },
  run: async ({ session, flags }): Promise<Found> => {
    const messages: FoundMessage[] = []
    for (const id of flags.msgId.split(',').map(part => part.trim())) {
      const found = await messageById(session, id)
      if (found === undefined) throw new AdminError('NOT_FOUND', `no message ${id}: it may be deleted already`)
      messages.push(found)
    }
    if (flags.sendMessage !== true)
      return (
        (await consumedBy(session, flags, messages)) ?? {
          messages: await Promise.all(messages.map(message => tracked(session, message))),
        }
      )
    const done = []
    for (const message of messages) done.push({ msgId: message.msgId, result: await again(session, message) })
    return { done }
  },
  show,
})

/** The same message anew: the broker gives it another place. */
function again(session: AdminSession, { topic, body, keys, tags }: FoundMessage) {
  return sendMessage(session, { topic, body, tags, keys: keys.length === 0 ? undefined : keys.join(' ') })
}

export const queryMsgByUniqueKey = subcommand({
  requests: '105, 12, 300, 203, 208; -g -d: 309',
  changes: true,
  flags: {
    msgId: needed(text('i', 'msgId', 'unique id of the message')),
    topic: needed(text('t', 'topic', 'topic of the message')),
    ...consume,
    showAll: toggle('a', 'showAll', 'all messages of this id, at most 32 (default: the oldest)'),
  },
  run: async ({ session, flags }): Promise<Found> => {
    const { msgId, topic, showAll } = flags
    const all = await messagesByKey(session, { topic, key: msgId, uniqueKey: true, maxNum: 32 })
    if (all.length === 0) throw new AdminError('NOT_FOUND', `no message ${msgId} in topic ${topic}`)
    const messages = showAll ? all : all.slice(0, 1)
    return (
      (await consumedBy(session, flags, messages)) ?? {
        messages: await Promise.all(messages.map(message => tracked(session, message))),
      }
    )
  },
  show,
})
