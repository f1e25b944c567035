import { AdminError } from '../error.ts'
import type { FoundMessage } from '../message/message.ts'
import type { AdminSession } from '../session.ts'
import { expiryOf } from './expiry.ts'
import type { Fate } from './fate.ts'
import { gather } from './gather.ts'
import { expired, type Verdict, verdictOf } from './verdict.ts'

/** Why a group has consumed a message or not, with the figures that say so. */
export interface Explained extends Verdict {
  readonly id: string
  readonly group: string
  /** Where it lies; null for one that expired. */
  readonly message: ExplainedPlace | null
  /** Its newest copy among the retries and dead letters of the group. */
  readonly copy: ExplainedPlace | null
  /** The next offset that the group consumes there, and what waits; null where it never committed. */
  readonly committed: number | null
  readonly lag: number | null
  /** The member that has the queue; '' for none, null where members do not tell. */
  readonly owner: string | null
  /** When what is delayed arrives, ms since 1970. */
  readonly dueMs: number | null
}

/** Where a message lies, and what it is. */
export type ExplainedPlace = Pick<
  FoundMessage,
  'topic' | 'brokerName' | 'queueId' | 'queueOffset' | 'offsetMsgId' | 'storedAtMs' | 'tags' | 'reconsumeTimes'
>

const nothing = { message: null, copy: null, committed: null, lag: null, owner: null, dueMs: null }

/** Says why a group has consumed a message, or has not. `topic`: look for the id there only. Errors: NOT_FOUND. */
export async function explainMessage(
  session: AdminSession,
  { id, group, topic }: { readonly id: string; readonly group: string; readonly topic?: string | undefined },
): Promise<Explained> {
  const fate = await gather(session, { id, group, topic })
  if (fate !== undefined) return { id, group, ...verdictOf(fate), ...figures(fate) }
  const why = await expiryOf(session, id)
  if (why !== undefined) return { id, group, ...expired(why), ...nothing }
  throw new AdminError('NOT_FOUND', `message ${id} is in no topic: check the id; skua find TOPIC --key K looks by key`)
}

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

function place(message: FoundMessage): ExplainedPlace {
  const { topic, brokerName, queueId, queueOffset, offsetMsgId, storedAtMs, tags, reconsumeTimes } = message
  return { topic, brokerName, queueId, queueOffset, offsetMsgId, storedAtMs, tags, reconsumeTimes }
}
