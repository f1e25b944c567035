import { Worker, type WorkerOptions } from 'node:worker_threads'
import type { Clock } from '@skua-mq/runtime'
import { type FilterContext, FilterFailed, NoFilter, type ScriptLimits } from './filter-limits.ts'
import { batchCalls, type Passed, type WorkerAnswer, type WorkerStart } from './worker-messages.ts'

export interface FilterThreadParts {
  readonly clock: Clock
  readonly limits: ScriptLimits
  readonly context: FilterContext
  readonly source: string
}

/** A thread loads the sandbox in some 50 ms; a busy machine gets more time. */
const startPatienceMs = 10_000
/** How much later than its limit a batch may be answered before its thread is ended. */
const graceMs = 1000
/** What a thread needs of V8's memory for a batch, beside the sandbox, which is outside of it. */
const resourceLimits = { maxOldGenerationSizeMb: 64, maxYoungGenerationSizeMb: 16 }

/** From source, which is how tests run: tsx, which makes Node read TypeScript, reaches the main thread only by itself. */
const sourceWorker = () =>
  `import(${JSON.stringify(import.meta.resolve('tsx/esm/api'))}).then(({ register }) => {
    register()
    return import(${JSON.stringify(import.meta.resolve('./filter-worker.ts'))})
  })`

function startWorker(options: WorkerOptions): Worker {
  return import.meta.url.endsWith('.ts')
    ? new Worker(sourceWorker(), { ...options, eval: true })
    : new Worker(new URL('./filter-worker.js', import.meta.url), options)
}

/**
 * A thread of its own for one filter. QuickJS looks at its time limit between steps of the script only: a built-in
 * function that runs for hours (indexOf over 2^53 elements) can be ended by nothing but the end of its thread.
 */
export class FilterThread {
  private readonly parts: FilterThreadParts
  private readonly worker: Worker
  private settle: ((answer: WorkerAnswer) => void) | undefined
  private gone: string | undefined

  private constructor(parts: FilterThreadParts) {
    this.parts = parts
    const { source, context, limits } = parts
    const workerData: WorkerStart = { source, context, limits }
    this.worker = startWorker({ workerData, resourceLimits, env: {}, stdout: true, stderr: true })
    // The sandbox tells its own accidents here; consumers are told them in answers, and nobody's log is filled.
    this.worker.stdout.resume()
    this.worker.stderr.resume()
    this.worker.on('message', (answer: WorkerAnswer) => this.settle?.(answer))
    this.worker.on('error', error => this.lost(error.message))
    this.worker.on('exit', () => this.lost('its thread ended'))
  }

  /** Rejects with NoFilter. */
  static async start(parts: FilterThreadParts): Promise<FilterThread> {
    const thread = new FilterThread(parts)
    const answer = await thread.next(startPatienceMs + parts.limits.callTimeoutMs)
    if (answer.kind === 'ready') return thread
    await thread.end()
    if (answer.kind === 'refused') throw new NoFilter(answer.reason)
    const reason = answer.kind === 'failed' ? answer.reason : 'its thread answered out of turn'
    throw new NoFilter(`the text of ${parts.context.className} cannot be run: ${reason}`)
  }

  /** One batch of stored records at a time. Rejects with FilterFailed; after one at a limit the thread is of no use. */
  async pass(batch: Uint8Array): Promise<Passed> {
    const answer = this.next((batchCalls + 1) * this.parts.limits.callTimeoutMs + graceMs)
    // A copy of exactly these bytes, since posting a view posts all that is behind it.
    const copy = new Uint8Array(batch)
    this.worker.postMessage(copy, [copy.buffer])
    const got = await answer
    if (got.kind === 'passed') return got
    if (got.kind === 'failed') throw new FilterFailed(got.reason, { atLimit: got.atLimit })
    throw new FilterFailed('its thread answered out of turn', { atLimit: true })
  }

  async end(): Promise<void> {
    await this.worker.terminate()
  }

  private lost(reason: string): void {
    this.gone ??= reason
    this.settle?.({ kind: 'failed', reason, atLimit: true })
  }

  private next(withinMs: number): Promise<WorkerAnswer> {
    const { clock, limits } = this.parts
    if (this.gone !== undefined) return Promise.resolve({ kind: 'failed', reason: this.gone, atLimit: true })
    return new Promise(resolve => {
      const settle = (answer: WorkerAnswer) => {
        timer.cancel()
        this.settle = undefined
        resolve(answer)
      }
      const timer = clock.after(withinMs, () => {
        const reason = `it ran longer than filterCallTimeoutMs=${limits.callTimeoutMs}, inside of one built-in function`
        settle({ kind: 'failed', reason, atLimit: true })
        this.worker.terminate()
      })
      this.settle = settle
    })
  }
}
