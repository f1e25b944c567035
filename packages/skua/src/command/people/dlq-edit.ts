import { AdminError, findLetter, type Resent, resendLetter } from '@skua-mq/admin'
import { lines } from '../mqadmin/frame/table.ts'
import { type Given, personCommand } from './frame.ts'
import { mustKnow } from './groups.ts'
import { letterChanges, letterText } from './letter-text.ts'

/** `skua dlq edit GROUP ID`. */
export const dlqEdit = personCommand({
  run: async (given: Given<{ readonly dryRun?: boolean; readonly yes?: boolean }>): Promise<Resent> => {
    const { session, words, options } = given
    const [group = '', id = ''] = words
    await mustKnow(session, group)
    const letter = await findLetter(session, group, id)
    const text = await given.edit(letterText(letter), 'dead-letter.txt')
    const changes = letterChanges(letter, text)
    if (changes === undefined)
      throw new AdminError(
        'ARGUMENT',
        `nothing was changed, nothing resent: skua dlq resend ${group} ${id} sends it as it is`,
      )
    const names = [...Object.keys(changes.properties ?? {}), ...(changes.body === undefined ? [] : ['body'])].join(', ')
    if (options.dryRun !== true && options.yes !== true) {
      const question = `Send it to ${letter.originTopic ?? '?'} with another ${names}?`
      if (!(await given.confirm(question))) throw new AdminError('ARGUMENT', 'nothing was resent')
    }
    return resendLetter(session, letter, { isDry: options.dryRun === true, changes })
  },
  show: ({ status, id, topic, newId }) => [lines(`${status} ${id} → ${topic ?? '?'}${newId ? ` ${newId}` : ''}`)],
  problems: ({ id, problem }) => (problem === undefined ? [] : [`${id}: ${problem}`]),
})
