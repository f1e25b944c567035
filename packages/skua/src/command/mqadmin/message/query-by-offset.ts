import { messageAt, messageTracks } from '@skua-mq/admin'
import { needed, text, whole } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { messageRecord } from './message-record.ts'

export const queryMsgByOffset = subcommand({
  requests: '106, 11, 300, 203, 208',
  flags: {
    topic: needed(text('t', 'topic', 'name of the topic')),
    brokerName: needed(text('b', 'brokerName', 'name of the broker')),
    queueId: needed(whole('i', 'queueId', 'queue id')),
    offset: needed(whole('o', 'offset', 'queue offset')),
  },
  run: async ({ session, flags: { topic, brokerName, queueId, offset } }) => {
    const message = await messageAt(session, { topic, brokerName, queueId }, offset)
    return { ...message, tracks: await messageTracks(session, message) }
  },
  show: messageRecord,
})
