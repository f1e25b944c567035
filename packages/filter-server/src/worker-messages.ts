import type { FilterContext, ScriptLimits } from './filter-limits.ts'

/** What the thread of a filter is started with. */
export interface WorkerStart {
  readonly source: string
  readonly context: FilterContext
  readonly limits: ScriptLimits
}

export interface Passed {
  readonly kind: 'passed'
  /** Byte ranges of the batch. */
  readonly ranges: readonly { readonly start: number; readonly end: number }[]
  /** The first message that was not looked at since the time of the batch was over; undefined when all were. */
  readonly nextQueueOffset: number | undefined
}

export type WorkerAnswer =
  | { readonly kind: 'ready' }
  | { readonly kind: 'refused'; readonly reason: string }
  | { readonly kind: 'failed'; readonly reason: string; readonly atLimit: boolean }
  | Passed

/** A batch is cut short after so many times `callTimeoutMs`, so that a slow filter answers before its consumer gives up. */
export const batchCalls = 10
