import type { LoadOptions } from './load.ts'

/** A row of the main table. `must` and `aim`: what part of Apache's CPU per message is wanted at most. */
export interface Situation {
  readonly name: string
  readonly load: Pick<LoadOptions, 'kind' | 'connections' | 'window' | 'bodyBytes' | 'batch'>
  /** Pulls: how long messages are sent before each round; a little stays in memory, much does not. */
  readonly fillSeconds?: number
  readonly flush: 'ASYNC_FLUSH' | 'SYNC_FLUSH'
  readonly must: number
  readonly aim: number
}

const send = { kind: 'send', batch: 1, window: 1 } as const

export const situations: readonly Situation[] = [
  {
    name: 'send 128 B, 1 connection, one at a time',
    load: { ...send, connections: 1, bodyBytes: 128 },
    flush: 'ASYNC_FLUSH',
    must: 1 / 2.5,
    aim: 1 / 4,
  },
  {
    name: 'send 128 B, 64 connections, one at a time',
    load: { ...send, connections: 64, bodyBytes: 128 },
    flush: 'ASYNC_FLUSH',
    must: 1 / 2.5,
    aim: 1 / 4,
  },
  {
    name: 'send 128 B, 1,024 connections, one at a time',
    load: { ...send, connections: 1024, bodyBytes: 128 },
    flush: 'ASYNC_FLUSH',
    must: 1 / 2.5,
    aim: 1 / 4,
  },
  {
    name: 'send 128 B, 16 x 16 in flight',
    load: { ...send, connections: 16, window: 16, bodyBytes: 128 },
    flush: 'ASYNC_FLUSH',
    must: 1 / 4,
    aim: 1 / 6,
  },
  {
    name: 'send 1 KiB, 16 x 16 in flight',
    load: { ...send, connections: 16, window: 16, bodyBytes: 1024 },
    flush: 'ASYNC_FLUSH',
    must: 1 / 4,
    aim: 1 / 6,
  },
  {
    name: 'send batches of 32, 128 B, 8 x 4',
    load: { ...send, connections: 8, window: 4, batch: 32, bodyBytes: 128 },
    flush: 'ASYNC_FLUSH',
    must: 1 / 2.5,
    aim: 1 / 4,
  },
  {
    name: 'consume hot, 32 a pull, 1 KiB, 8 connections',
    load: { kind: 'pull', batch: 1, connections: 8, window: 1, bodyBytes: 1024 },
    fillSeconds: 0.15,
    flush: 'ASYNC_FLUSH',
    must: 1 / 2,
    aim: 1 / 4,
  },
  {
    name: 'consume from the page cache, 32 a pull, 1 KiB, 8 connections',
    load: { kind: 'pull', batch: 1, connections: 8, window: 1, bodyBytes: 1024 },
    fillSeconds: 3,
    flush: 'ASYNC_FLUSH',
    must: 1 / 2,
    aim: 1 / 4,
  },
  {
    name: 'SYNC_FLUSH, send 128 B, 64 connections',
    load: { ...send, connections: 64, bodyBytes: 128 },
    flush: 'SYNC_FLUSH',
    must: 1 / 4,
    aim: 1 / 8,
  },
]
