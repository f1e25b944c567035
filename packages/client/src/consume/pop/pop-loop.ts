import { delay } from '@skua-mq/runtime'
import type { PopSource, Pops } from '../../pop/pops.ts'
import type { PushContext } from '../push-parts.ts'
import type { PopDispatch } from './pop-dispatch.ts'

/** After an error, as Java's clients. */
const failedMs = 3_000
/** While the consumer is suspended. */
const pausedMs = 1_000

/** Brokers hold a pop no longer. */
const longestPollMs = 30_000

export interface PopLoopParts extends PushContext {
  readonly pops: Pops
  readonly dispatch: PopDispatch
}

/** Pops messages of one topic at one broker, again and again, while there is room for them. */
export class PopLoop {
  readonly source: PopSource
  private readonly parts: PopLoopParts
  private readonly ending = new AbortController()
  private room: (() => void) | undefined
  /** Popped and not settled. */
  private held = 0

  constructor(parts: PopLoopParts, source: PopSource) {
    this.parts = parts
    this.source = source
  }

  stop(): void {
    this.ending.abort(new Error('the loop is over'))
    this.room?.()
  }

  /** Resolves when it is stopped; never rejects. */
  async run(): Promise<void> {
    const { instance, settings, emit, plainGroup: group } = this.parts
    const { signal } = this.ending
    while (!signal.aborted) {
      try {
        if (this.parts.paused()) await delay(instance.clock, pausedMs, signal)
        else if (this.held >= settings.pop.threshold) await this.untilRoom()
        else await this.pop(signal)
      } catch (error) {
        if (signal.aborted) return
        emit('pullFailed', { group, queue: { ...this.source, queueId: -1 }, error })
        await instance.news.wait(failedMs, signal).catch(() => {})
      }
    }
  }

  private async pop(signal: AbortSignal): Promise<void> {
    const { pops, settings, dispatch } = this.parts
    const { pop, suspendMs } = settings
    const awaitMs = Math.min(suspendMs, longestPollMs)
    const maxNums = Math.min(pop.batch, pop.threshold - this.held)
    const messages = await pops.pop(this.source, { awaitMs, invisibleMs: pop.invisibleMs, maxNums }, signal)
    if (signal.aborted) return void (await Promise.all(messages.map(message => pops.giveBack(message))))
    this.held += messages.length
    dispatch.submit(messages, count => {
      this.held -= count
      this.room?.()
    })
  }

  private untilRoom(): Promise<void> {
    return new Promise(resolve => {
      this.room = () => {
        this.room = undefined
        resolve()
      }
    })
  }
}
