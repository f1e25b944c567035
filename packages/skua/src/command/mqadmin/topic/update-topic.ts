import { putTopic, type TopicSettings } from '@skua-mq/admin'
import { needed, permission, text, truth, whereFlags, whole } from '../frame/flag.ts'
import { subcommand, whereOf } from '../frame/subcommand.ts'
import { lines, record } from '../frame/table.ts'

export const updateTopic = subcommand({
  requests: '106, 17; -o: 101, 100',
  notes: 'What is not given is as in a new topic, also where the topic is there already',
  changes: true,
  flags: {
    ...whereFlags(),
    topic: needed(text('t', 'topic', 'name of the topic')),
    readQueueNums: whole('r', 'readQueueNums', 'read queues at each broker (default: 8)'),
    writeQueueNums: whole('w', 'writeQueueNums', 'write queues at each broker (default: 8)'),
    perm: permission('2 write, 4 read, 6 both (default: 6)'),
    order: truth('o', 'order', 'its queues are told in the order configuration, too'),
    unit: truth('u', 'unit', 'a unit topic'),
    hasUnitSub: truth('s', 'hasUnitSub', 'has unit subscriptions'),
    attributes: text('a', 'attributes', 'attributes of 5.x: +key=value,-key'),
  },
  run: async ({ session, flags }) => {
    const { topic, unit, hasUnitSub, readQueueNums = 8, writeQueueNums = 8, perm = 6, order = false } = flags
    const topicSysFlag = (unit ? 1 : 0) | (hasUnitSub ? 2 : 0)
    const settings: TopicSettings = {
      readQueueNums,
      writeQueueNums,
      perm,
      order,
      topicSysFlag,
      attributes: flags.attributes,
    }
    const brokers = await putTopic(session, whereOf(flags), { topic, ...settings })
    return { topic, ...settings, brokers }
  },
  show: ({ brokers, topic, readQueueNums, writeQueueNums, perm, order, topicSysFlag }) => [
    lines(...brokers.map(address => `create topic to ${address} success.`)),
    record([
      ['topic:', topic],
      ['readQueueNums:', readQueueNums],
      ['writeQueueNums:', writeQueueNums],
      ['perm:', perm],
      ['order:', order],
      ['topicSysFlag:', topicSysFlag],
    ]),
  ],
})
