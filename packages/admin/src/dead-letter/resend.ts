import { AdminError } from '../error.ts'
import { sendMessage } from '../message/send.ts'
import type { AdminSession } from '../session.ts'
import { changedLetter, type LetterChanges } from './changes.ts'
import type { DeadLetter } from './letters.ts'

/** User property of a message that was resent: the offset id of the dead letter. */
const resentFrom = 'RESENT_FROM'

/** What became of one dead letter. */
export interface Resent {
  readonly id: string
  readonly topic: string | null
  /** SEND_OK and the like; PLANNED in a dry run; FAILED; NOT_FOUND for an id that no dead letter has. */
  readonly status: string
  /** Of the new message. */
  readonly newId?: string
  readonly problem?: string
}

/** Sends a dead letter to its first topic, or says why not. Errors: ARGUMENT for changes that cannot be. */
export async function resendLetter(
  session: AdminSession,
  letter: DeadLetter,
  { isDry = false, changes = {} }: { readonly isDry?: boolean; readonly changes?: LetterChanges } = {},
): Promise<Resent> {
  const { msgId: id, originTopic: topic, offsetMsgId } = letter
  const message = changedLetter(letter, changes)
  if (topic === null) return { id, topic, status: 'FAILED', problem: 'it does not tell the topic that it was sent to' }
  if (isDry) return { id, topic, status: 'PLANNED' }
  const properties = { ...message.properties, [resentFrom]: offsetMsgId }
  try {
    const sent = await sendMessage(session, { ...message, topic, properties })
    const { sendStatus: status, msgId: newId } = sent!
    const problem = status === 'SEND_OK' ? {} : { problem: `stored less safely than wanted: ${status}` }
    return { id, topic, status, newId, ...problem }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    return { id, topic, status: 'FAILED', problem: error.message }
  }
}
