import type { Clock, Disk, Events, ProcessFacts, Turn } from '@skua-mq/runtime'
import type { Replicas } from './append/answers.ts'
import type { MessageBitmaps } from './dispatch.ts'
import type { SpecialQueue } from './special-queue.ts'

/** What a store takes from outside. */
export interface StoreNeeds {
  readonly clock: Clock
  readonly disk: Disk
  readonly turn: Turn
  readonly events: Events
  readonly facts: ProcessFacts
  /** Slaves, once there are some. */
  readonly replicas?: Replicas | undefined
  /** Fills the bitmaps of extended units; only asked under `enableConsumeQueueExt`. */
  readonly bitmaps?: MessageBitmaps | undefined
  /** Topics whose queues carry something else than the hash of the tags. */
  readonly special?: readonly SpecialQueue[] | undefined
}
