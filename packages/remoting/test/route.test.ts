import { defineRequest, int, long, optional, text } from '@skua-mq/protocol'
import { ok, refuse, route } from '../src/index.ts'

const q = defineRequest({
  name: 'X',
  code: 14,
  direction: 'C→B',
  section: '11',
  header: { consumerGroup: text, queueId: int, z: optional(int) },
  reply: { offset: long },
})
export const r = route(q, ({ consumerGroup, queueId, z }) => {
  const s: string = consumerGroup
  const n: number = queueId + (z ?? 0)
  if (n > 3) return refuse(1, s)
  return ok({ offset: n })
})
// @ts-expect-error offset is a number
export const bad = route(q, () => ok({ offset: 'x' }))
