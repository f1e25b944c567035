import type { MessageQueue } from '@skua-mq/protocol'
import type { Offsets } from '../consume/offset-store/offsets.ts'
import type { OwnedQueues } from '../consume/owned-queues.ts'
import { ProcessQueue } from '../consume/process-queue.ts'
import type { PullCalls } from '../consume/pull-calls.ts'
import type { EmitEvent } from '../events.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import { QueueMap } from '../queue.ts'
import type { AssignedQueues } from './assigned-queues.ts'

export interface AssignmentParts {
  readonly instance: ClientInstance
  /** On the wire. */
  readonly group: string
  readonly autoCommit: boolean
  readonly assigned: AssignedQueues
  readonly owned: Pick<OwnedQueues, 'startOffset'>
  readonly offsets: Offsets
  readonly pulls: PullCalls
  readonly emit: EmitEvent
}

/** The queues that an application chose, in place of a share of the group's. */
export class Assignment {
  private readonly parts: AssignmentParts
  /** Counts the wishes: of several at a time the last one is fulfilled. */
  private wish = 0

  constructor(parts: AssignmentParts) {
    this.parts = parts
  }

  /** Exactly these, from their committed offsets. Errors: ClientError NO_ROUTE, which changes nothing. */
  async assign(queues: readonly MessageQueue[]): Promise<void> {
    const { instance, assigned, owned } = this.parts
    const mine = ++this.wish
    for (const { topic } of queues) await instance.routes.need(topic)
    const wanted = new QueueMap<true>()
    for (const queue of queues) wanted.set(queue, true)
    for (const queue of assigned.queues()) {
      if (mine !== this.wish) return
      if (!wanted.has(queue)) await this.leave(queue)
    }
    await instance.heartbeats.beat()
    for (const queue of queues) {
      if (mine !== this.wish) return
      if (assigned.has(queue)) continue
      const offset = await owned.startOffset(queue)
      if (mine === this.wish) assigned.add(queue, new ProcessQueue(instance.clock.monotonic()), offset)
    }
  }

  /** How far it was read is written down first: nobody else does it. */
  private async leave(queue: MessageQueue): Promise<void> {
    const { autoCommit, assigned, pulls, offsets, emit, group } = this.parts
    if (autoCommit) assigned.commit('settled', [queue])
    assigned.remove(queue)
    pulls.forget(queue)
    try {
      await offsets.persistOne(queue)
    } catch (error) {
      emit('offsetCommitFailed', { group, error })
    }
    // One that was assigned again meanwhile goes on with what it knows.
    if (!assigned.has(queue)) offsets.forget(queue)
  }
}
