import { AdminError, type AdminSession, sendMessage } from '@skua-mq/admin'
import { delay } from '@skua-mq/runtime'
import { lines } from '../mqadmin/frame/table.ts'
import { type DeadLetter, deadLetters, isNamed } from './dead-letters.ts'
import { type Given, personCommand } from './frame.ts'
import { mustKnow } from './groups.ts'
import { userProperties } from './message-view.ts'

/** User property of a message that was resent: the offset id of the dead letter. */
const resentFrom = 'RESENT_FROM'

interface Options {
  readonly all?: boolean
  /** Messages a second. */
  readonly rate?: number
  readonly dryRun?: boolean
  readonly yes?: boolean
}

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

/** `skua dlq resend GROUP [ID...]`. */
export const dlqResend = personCommand({
  run: async (given: Given<Options>): Promise<Resent[]> => {
    const { session, words, options } = given
    const [group = '', ...ids] = words
    if ((ids.length === 0) === (options.all !== true))
      throw new AdminError('ARGUMENT', 'name the dead letters by their ids, or give --all for every one of the group')
    await mustKnow(session, group)
    if (options.dryRun !== true && options.yes !== true) {
      const which = options.all === true ? 'all dead letters' : `${ids.length} dead letters`
      const question = `Send ${which} of ${group} to their first topic, where all its groups get them again?`
      if (!(await given.confirm(question))) throw new AdminError('ARGUMENT', 'nothing was resent')
    }
    return resend(given, group, ids)
  },
  show: (results, { options }) => [
    lines(`${results.filter(isDone).length} of ${results.length} ${options.dryRun === true ? 'would be ' : ''}resent`),
  ],
  problems: results => results.flatMap(({ id, problem }) => (problem === undefined ? [] : [`${id}: ${problem}`])),
})

const isDone = ({ status }: Resent): boolean => status !== 'FAILED' && status !== 'NOT_FOUND'

async function resend({ session, options, say }: Given<Options>, group: string, ids: string[]): Promise<Resent[]> {
  const results: Resent[] = []
  const left = new Set(ids)
  const { clock } = session.runtime
  let next = clock.monotonic()
  for await (const letter of deadLetters(session, group)) {
    const named = ids.filter(id => isNamed(letter, id))
    if (ids.length > 0 && named.length === 0) continue
    for (const id of named) left.delete(id)
    if (options.rate !== undefined && options.dryRun !== true) {
      const waitMs = next - clock.monotonic()
      if (waitMs > 0) await delay(clock, waitMs)
      next = Math.max(next, clock.monotonic() - 1000) + 1000 / options.rate
    }
    const result = await resendOne(session, letter, options.dryRun === true)
    results.push(result)
    await say(lines(`${result.status} ${result.id} → ${result.topic ?? '?'}${result.newId ? ` ${result.newId}` : ''}`))
    if (ids.length > 0 && left.size === 0) break
  }
  for (const id of left)
    results.push({ id, topic: null, status: 'NOT_FOUND', problem: `no such dead letter: skua dlq list ${group}` })
  return results
}

async function resendOne(session: AdminSession, letter: DeadLetter, isDry: boolean): Promise<Resent> {
  const { msgId: id, originTopic: topic, body, tags, keys, offsetMsgId } = letter
  if (topic === null) return { id, topic, status: 'FAILED', problem: 'it does not tell the topic that it was sent to' }
  if (isDry) return { id, topic, status: 'PLANNED' }
  const properties = { ...userProperties(letter), [resentFrom]: offsetMsgId }
  try {
    const sent = await sendMessage(session, { topic, body, tags, keys: keys.join(' ') || undefined, properties })
    const { sendStatus: status, msgId: newId } = sent!
    const problem = status === 'SEND_OK' ? {} : { problem: `stored less safely than wanted: ${status}` }
    return { id, topic, status, newId, ...problem }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    return { id, topic, status: 'FAILED', problem: error.message }
  }
}
