import { ask } from '../reference/ask.ts'

const updateAndCreateTopic = 17
const getRouteInfoByTopic = 105

/** Creates a topic of four queues and waits until the name server knows it. */
export async function createTopic(place: { namesrvAddr: string; brokerAddr: string }, topic: string): Promise<void> {
  const created = await ask(place.brokerAddr, {
    code: updateAndCreateTopic,
    extFields: {
      topic,
      defaultTopic: 'TBW102',
      readQueueNums: '4',
      writeQueueNums: '4',
      perm: '6',
      topicFilterType: 'SINGLE_TAG',
      topicSysFlag: '0',
      order: 'false',
    },
  })
  if (created.code !== 0) throw new Error(`${topic} could not be created: ${created.remark ?? created.code}`)
  await new Promise(resolve => setTimeout(resolve, 300))
  const route = await ask(place.namesrvAddr, { code: getRouteInfoByTopic, extFields: { topic } })
  if (route.code !== 0) throw new Error(`${topic} has no route: ${route.remark ?? route.code}`)
}
