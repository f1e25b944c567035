import { AdminError, type FoundMessage } from '@skua-mq/admin'
import { lines } from '../../mqadmin/frame/table.ts'
import { type Given, personCommand } from '../frame.ts'
import { mustKnow } from '../groups.ts'
import { expiryOf } from './expiry.ts'
import type { Fate } from './fate.ts'
import { gather } from './gather.ts'
import { expired, type Verdict, verdictOf } from './verdict.ts'

/** Why a group has consumed a message or not, with the figures that say so. */
export interface Explained extends Verdict {
  readonly id: string
  readonly group: string
  /** Where it lies; null for one that expired. */
  readonly message: Place | null
  /** Its newest copy among the retries and dead letters of the group. */
  readonly copy: Place | null
  /** The next offset that the group consumes there, and what waits; null where it never committed. */
  readonly committed: number | null
  readonly lag: number | null
  /** The member that has the queue; '' for none, null where members do not tell. */
  readonly owner: string | null
  /** When what is delayed arrives, ms since 1970. */
  readonly dueMs: number | null
}

type Place = Pick<
  FoundMessage,
  'topic' | 'brokerName' | 'queueId' | 'queueOffset' | 'offsetMsgId' | 'storedAtMs' | 'tags' | 'reconsumeTimes'
>

const nothing = { message: null, copy: null, committed: null, lag: null, owner: null, dueMs: null }

/** `skua explain ID -g GROUP`. */
export const explain = personCommand({
  run: async ({
    session,
    words: [id = ''],
    options: { group, topic },
  }: Given<{ readonly group: string; readonly topic?: string }>): Promise<Explained> => {
    await mustKnow(session, group)
    const fate = await gather(session, { id, group, topic })
    if (fate !== undefined) return { id, group, ...verdictOf(fate), ...figures(fate) }
    const why = await expiryOf(session, id)
    if (why !== undefined) return { id, group, ...expired(why), ...nothing }
    throw new AdminError(
      'NOT_FOUND',
      `message ${id} is in no topic: check the id; skua find TOPIC --key K looks by key`,
    )
  },
  show: ({ sentence }) => [lines(sentence)],
})

function figures({ message, copy, stands, owner, dueMs }: Fate): Omit<Explained, 'id' | 'group' | keyof Verdict> {
  return {
    message: place(message),
    copy: copy === undefined ? null : place(copy),
    committed: stands?.consumerOffset ?? null,
    lag: stands?.diff ?? null,
    owner: owner ?? null,
    dueMs: dueMs ?? null,
  }
}

function place(message: FoundMessage): Place {
  const { topic, brokerName, queueId, queueOffset, offsetMsgId, storedAtMs, tags, reconsumeTimes } = message
  return { topic, brokerName, queueId, queueOffset, offsetMsgId, storedAtMs, tags, reconsumeTimes }
}
