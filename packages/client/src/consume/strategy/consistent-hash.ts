import { createHash } from 'node:crypto'
import { queueText } from '../../queue.ts'
import type { AllocateStrategy } from './strategy.ts'

/** First four bytes of MD5 as an unsigned number, as Java's ring takes it. */
function md5Head(text: string): number {
  return createHash('md5').update(text).digest().readUInt32BE(0)
}

/** How `consistentHash` lays out its ring. All members must agree on it. */
export interface ConsistentHashOptions {
  /** Points of each member on the ring. Default 10. */
  readonly virtualNodes?: number
  /** Text to a place on the ring. Default: first 32 bits of MD5. */
  readonly hash?: (text: string) => number
}

/** Members and queues on one ring; a queue belongs to the next member clockwise. Few queues move when members change. */
export function consistentHash(options: ConsistentHashOptions = {}): AllocateStrategy {
  const { virtualNodes = 10, hash = md5Head } = options
  return {
    name: 'CONSISTENT_HASH',
    allocate: ({ queues, clientIds, clientId }) => {
      if (!clientIds.includes(clientId)) return []
      const byPlace = new Map<number, string>()
      for (const id of clientIds) for (let i = 0; i < virtualNodes; i++) byPlace.set(hash(`${id}-${i}`), id)
      const ring = [...byPlace].sort(([a], [b]) => a - b)
      return queues.filter(queue => {
        const place = hash(queueText(queue))
        const next = ring.find(([at]) => at >= place) ?? ring[0]
        return next?.[1] === clientId
      })
    },
  }
}
