import { parentPort, workerData } from 'node:worker_threads'
import { readRecord } from '@skua-mq/protocol'
import { NodeClock } from '@skua-mq/runtime'
import { type FilterContext, FilterFailed, FilterScript, NoFilter, type ScriptLimits } from './filter-script.ts'
import { filteredMessage } from './filtered-message.ts'

/** The thread of one filter: it is started with its text, then answers each batch of stored records with those that pass. */
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

const clock = new NodeClock()

function passed(script: FilterScript, batch: Uint8Array, budgetMs: number): WorkerAnswer {
  const ranges: { start: number; end: number }[] = []
  const end = clock.monotonic() + budgetMs
  for (let at = 0; at < batch.length; ) {
    const record = readRecord(batch, at)
    if (record === undefined) throw new Error(`the broker sent ${batch.length - at} bytes that are no message`)
    if (at > 0 && clock.monotonic() > end)
      return { kind: 'passed', ranges, nextQueueOffset: record.message.queueOffset }
    if (script.matches(filteredMessage(record.message))) ranges.push({ start: at, end: record.next })
    at = record.next
  }
  return { kind: 'passed', ranges, nextQueueOffset: undefined }
}

function answerTo(script: FilterScript, batch: Uint8Array, budgetMs: number): WorkerAnswer {
  try {
    return passed(script, batch, budgetMs)
  } catch (error) {
    return {
      kind: 'failed',
      reason: (error as Error).message,
      atLimit: error instanceof FilterFailed && error.atLimit,
    }
  }
}

if (parentPort !== null) {
  const port = parentPort
  const { source, context, limits } = workerData as WorkerStart
  try {
    const script = await FilterScript.of(source, { clock, limits, context })
    port.on('message', (batch: Uint8Array) =>
      port.postMessage(answerTo(script, batch, batchCalls * limits.callTimeoutMs)),
    )
    port.postMessage({ kind: 'ready' } satisfies WorkerAnswer)
  } catch (error) {
    if (!(error instanceof NoFilter)) throw error
    port.postMessage({ kind: 'refused', reason: error.message } satisfies WorkerAnswer)
  }
}
