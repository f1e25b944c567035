import { ackMessage, changeMessageInvisibleTime, type HeaderOf, popMessage, ResponseCode } from '@skua-mq/protocol'
import { answer, ok, type Route, refuse, route } from '@skua-mq/remoting'
import { type RecordWish, record } from './records.ts'
import { world } from './scripted-cluster.ts'

export type Pop = HeaderOf<typeof popMessage>
export type Answer = { code: ResponseCode } | { messages: readonly RecordWish[] } | 'held'

/** Brokers with POP that answer as the test says, and keep what they were asked. */
export async function popCluster(brokerCount = 1, { hasPop = true, routes = [] as readonly Route[] } = {}) {
  const pops: Pop[] = []
  const acks: HeaderOf<typeof ackMessage>[] = []
  const changes: HeaderOf<typeof changeMessageInvisibleTime>[] = []
  const script = {
    onPop: (_pop: Pop): Answer | Promise<Answer> => ({ code: ResponseCode.pollingTimeout }),
    onAck: (): ResponseCode => ResponseCode.success,
    onChange: async (): Promise<void> => {},
  }
  const popTime = 1_767_225_600_000
  const at = await world(brokerCount, {
    routes: !hasPop
      ? [...routes]
      : [
          ...routes,
          route(popMessage, async header => {
            pops.push(header)
            const told = await script.onPop(header)
            if (told === 'held') return new Promise<never>(() => {})
            if ('code' in told) return refuse(told.code as 1, 'as the test says')
            const starts = told.messages.map(({ queueId = 0, queueOffset }) => `0 ${queueId} ${queueOffset}`)
            const reply = {
              ...{ popTime, invisibleTime: header.invisibleTime, reviveQid: 3, restNum: 0 },
              startOffsetInfo: starts.join(';'),
            }
            return { ...answer(ResponseCode.success, reply), body: Buffer.concat(told.messages.map(record)) }
          }),
          route(ackMessage, header => {
            acks.push(header)
            const code = script.onAck()
            return code === 0 ? ok({}) : refuse(code as 1, 'as the test says')
          }),
          route(changeMessageInvisibleTime, async header => {
            changes.push(header)
            await script.onChange()
            return ok({ popTime: popTime + 1000, invisibleTime: header.invisibleTime, reviveQid: 5 })
          }),
        ],
  })
  return { at, pops, acks, changes, script }
}
