import { AdminError, deadLetters, isNamedLetter, type LetterChanges, type Resent, resendLetter } from '@skua-mq/admin'
import { delay } from '@skua-mq/runtime'
import { lines } from '../mqadmin/frame/table.ts'
import { type Given, personCommand } from './frame.ts'
import { mustKnow } from './groups.ts'
import { bodyOfFile } from './letter-changes.ts'

interface Options {
  readonly all?: boolean
  /** Messages a second. */
  readonly rate?: number
  /** A file with the new body. */
  readonly body?: string
  readonly property?: Readonly<Record<string, string>>
  readonly dryRun?: boolean
  readonly yes?: boolean
}

/** `skua dlq resend GROUP [ID...]`. */
export const dlqResend = personCommand({
  run: async (given: Given<Options>): Promise<Resent[]> => {
    const { session, words, options } = given
    const [group = '', ...ids] = words
    if ((ids.length === 0) === (options.all !== true))
      throw new AdminError('ARGUMENT', 'name the dead letters by their ids, or give --all for every one of the group')
    const changes = changesOf(options, ids)
    await mustKnow(session, group)
    if (options.dryRun !== true && options.yes !== true) {
      const which = options.all === true ? 'all dead letters' : `${ids.length} dead letters`
      const question = `Send ${which} of ${group} to their first topic, where all its groups get them again?`
      if (!(await given.confirm(question))) throw new AdminError('ARGUMENT', 'nothing was resent')
    }
    return resend(given, group, { ids, changes })
  },
  show: (results, { options }) => [
    lines(`${results.filter(isDone).length} of ${results.length} ${options.dryRun === true ? 'would be ' : ''}resent`),
  ],
  problems: results => results.flatMap(({ id, problem }) => (problem === undefined ? [] : [`${id}: ${problem}`])),
})

const isDone = ({ status }: Resent): boolean => status !== 'FAILED' && status !== 'NOT_FOUND'

/** One message at a time is changed: what is right for all is done by whoever consumes them. */
function changesOf({ body, property }: Options, ids: readonly string[]): LetterChanges {
  if (body === undefined && property === undefined) return {}
  if (ids.length !== 1)
    throw new AdminError('ARGUMENT', '--body and --property change one message: name one dead letter by its id')
  return { ...(body === undefined ? {} : { body: bodyOfFile(body) }), properties: property ?? {} }
}

async function resend(
  { session, options, say }: Given<Options>,
  group: string,
  { ids, changes }: { readonly ids: readonly string[]; readonly changes: LetterChanges },
): Promise<Resent[]> {
  const results: Resent[] = []
  const left = new Set(ids)
  const { clock } = session.runtime
  let next = clock.monotonic()
  for await (const letter of deadLetters(session, group)) {
    const named = ids.filter(id => isNamedLetter(letter, id))
    if (ids.length > 0 && named.length === 0) continue
    for (const id of named) left.delete(id)
    if (options.rate !== undefined && options.dryRun !== true) {
      const waitMs = next - clock.monotonic()
      if (waitMs > 0) await delay(clock, waitMs)
      next = Math.max(next, clock.monotonic() - 1000) + 1000 / options.rate
    }
    const result = await resendLetter(session, letter, { isDry: options.dryRun === true, changes })
    results.push(result)
    await say(lines(`${result.status} ${result.id} → ${result.topic ?? '?'}${result.newId ? ` ${result.newId}` : ''}`))
    if (ids.length > 0 && left.size === 0) break
  }
  for (const id of left)
    results.push({ id, topic: null, status: 'NOT_FOUND', problem: `no such dead letter: skua dlq list ${group}` })
  return results
}
