import { masterNamed, type SentMessage, sendTo } from '@skua-mq/admin'
import { needed, text, whole } from '../frame/flag.ts'
import { type Context, stream } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

const flags = {
  brokerName: needed(text('b', 'brokerName', 'name of the broker, which is the topic, too')),
  messageSize: whole('s', 'messageSize', 'bytes of each message (default: 128)'),
  count: whole('c', 'count', 'how many (default: 50)'),
}

export const sendMsgStatus = stream({
  requests: '106, 310',
  changes: true,
  flags,
  stream: async function* ({ session, flags: given }: Context<typeof flags>): AsyncGenerator<SentMessage> {
    const { brokerName, messageSize = 128, count = 50 } = given
    const { address } = await masterNamed(session, brokerName)
    const message = { topic: brokerName, brokerName, body: Buffer.alloc(messageSize, 'a') }
    for (let i = 0; i < count; i++) {
      const sent = await sendTo(session, address, message)
      if (sent !== undefined) yield sent
    }
  },
  show: ({ costMs, sendStatus, msgId, queueId, queueOffset }) => [
    lines(`rt=${costMs.toFixed(2)}ms, ${sendStatus} ${msgId} queue ${queueId} offset ${queueOffset}`),
  ],
})
