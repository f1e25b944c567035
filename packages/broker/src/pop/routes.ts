import { batchAckMessage, type HeaderOf, peekMessage, pollingInfo, ResponseCode } from '@skua-mq/protocol'
import { answer, ok, type Route, refuse, route } from '@skua-mq/remoting'
import { GetRequest, GetResult, type MessageStore } from '@skua-mq/store'
import type { PullStop, PullTopic } from '../pull/pull-handler.ts'
import type { AckHandler } from './ack-handler.ts'
import { maxPopped } from './check-point.ts'
import type { HeldPops } from './held-pops.ts'
import type { PopPositions } from './positions.ts'

export interface PopRouteParts {
  readonly store: Pick<MessageStore, 'get' | 'maxOffset'>
  readonly topic: (topic: string) => PullTopic | undefined
  readonly check: (view: { topic: string; consumerGroup: string; queueId: number }) => PullStop | undefined
  readonly positions: Pick<PopPositions, 'peek'>
  readonly acks: AckHandler
  readonly held: HeldPops
}

/** Most bytes of an answer to 200052. */
const maxPeekBytes = 1024 * 1024

/** The requests of POP that are no hot ones: 200052, 200055, 200151. */
export const popRoutes = (parts: PopRouteParts): Route[] => [
  route(peekMessage, header => peek(parts, header), { readBytes: maxPeekBytes }),
  route(pollingInfo, ({ topic, consumerGroup, queueId }) =>
    ok({ pollingNum: parts.held.countOf(topic, consumerGroup, queueId) }),
  ),
  route(batchAckMessage, (_header, { body, connection }) =>
    parts.acks.batch(batchAckMessage.body!.decode(body), `${connection.remote.host}:${connection.remote.port}`),
  ),
]

/** What a pop would find, beginning with the first queue that has something. */
async function peek(parts: PopRouteParts, header: HeaderOf<typeof peekMessage>) {
  const { store, topic: find, positions, check } = parts
  const { topic, consumerGroup, queueId, maxMsgNums } = header
  const stop = check(header)
  if (stop !== undefined) return refuse(stop.code, stop.remark)
  const count = find(topic)?.readQueueNums ?? 0
  const queues = queueId < 0 ? Array.from({ length: count }, (_, at) => at) : [queueId]
  const request = Object.assign(new GetRequest(), { topic, maxBytes: maxPeekBytes })
  const result = new GetResult()
  const slices: Buffer[] = []
  let [found, bytes, restNum] = [0, 0, 0]
  let failure: unknown
  for (const queue of queues) {
    const offset = positions.peek(topic, consumerGroup, queue)
    restNum += Math.max(0, store.maxOffset(topic, queue) - offset)
    const most = Math.min(Math.max(1, maxMsgNums), maxPopped)
    if (found >= most || bytes >= maxPeekBytes) continue
    Object.assign(request, { queueId: queue, offset, maxCount: most - found })
    try {
      await store.get(request, result)
      for (const slice of result.slices) slices.push(Buffer.from(slice))
      found += result.count
      bytes += result.bytes
      restNum -= result.count
    } catch (error) {
      // The others may have something.
      failure ??= error
    } finally {
      result.release()
    }
  }
  const reply = { popTime: 0, invisibleTime: 0, reviveQid: 0, restNum }
  if (found === 0 && failure !== undefined) throw failure
  if (found === 0) return answer(ResponseCode.pullNotFound, reply, 'NO_MESSAGE_IN_QUEUE')
  return ok(reply, Buffer.concat(slices))
}
