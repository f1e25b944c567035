import type { AllocateStrategy } from './strategy.ts'

/** Blocks of equal length; the first `queues mod members` members get one more. Java's default. */
export function averagely(): AllocateStrategy {
  return {
    name: 'AVG',
    allocate: ({ queues, clientIds, clientId }) => {
      const index = clientIds.indexOf(clientId)
      if (index < 0) return []
      const extra = queues.length % clientIds.length
      const base = Math.floor(queues.length / clientIds.length)
      const start = index * base + Math.min(index, extra)
      return queues.slice(start, start + base + (index < extra ? 1 : 0))
    },
  }
}

/** Every k-th queue, from the own index on. */
export function averagelyByCircle(): AllocateStrategy {
  return {
    name: 'AVG_BY_CIRCLE',
    allocate: ({ queues, clientIds, clientId }) => {
      const index = clientIds.indexOf(clientId)
      return index < 0 ? [] : queues.filter((_, i) => i % clientIds.length === index)
    },
  }
}
