import { parentPort, workerData } from 'node:worker_threads'
import { readRecord } from '@skua-mq/protocol'
import { NodeClock } from '@skua-mq/runtime'
import { FilterFailed, NoFilter } from './filter-limits.ts'
import { FilterScript } from './filter-script.ts'
import { filteredMessage } from './filtered-message.ts'
import { batchCalls, type WorkerAnswer, type WorkerStart } from './worker-messages.ts'

// The thread of one filter: it is started with its text, then answers each batch of stored records with those that pass.

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
