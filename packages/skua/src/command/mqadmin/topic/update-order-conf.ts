import { AdminError, deleteOrderConf, getOrderConf, setOrderConf } from '@skua-mq/admin'
import { needed, text } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'

export const updateOrderConf = subcommand({
  requests: '100, 101, 102',
  changes: true,
  flags: {
    topic: needed(text('t', 'topic', 'name of the topic')),
    orderConf: text('v', 'orderConf', 'queues of each broker: brokerA:4;brokerB:4'),
    method: needed(text('m', 'method', 'put, get or delete')),
  },
  run: async ({ session, flags: { topic, orderConf, method } }) => {
    if (method === 'get') {
      const found = await getOrderConf(session, topic)
      if (found === undefined) throw new AdminError('NOT_FOUND', `topic ${topic} has no order configuration`)
      return { method, topic, orderConf: found }
    }
    if (method === 'delete') {
      await deleteOrderConf(session, topic)
      return { method, topic, orderConf: '' }
    }
    if (method !== 'put') throw new AdminError('ARGUMENT', `-m ${method}: put, get or delete is wanted`)
    if (orderConf === undefined) throw new AdminError('ARGUMENT', '-m put needs an order configuration: -v brokerA:4')
    await setOrderConf(session, topic, orderConf)
    return { method, topic, orderConf }
  },
  show: ({ method, topic, orderConf }) => {
    if (method === 'delete') return [lines(`delete orderConf success. topic=[${topic}]`)]
    const done = method === 'get' ? 'get' : 'update'
    return [lines(`${done} orderConf success. topic=[${topic}], orderConf=[${orderConf}]`)]
  },
})
