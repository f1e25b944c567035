import { decideTransaction, type UndecidedTransaction, undecidedTransaction } from '@skua-mq/admin'
import { lines } from '../mqadmin/frame/table.ts'
import { timeText } from '../mqadmin/frame/time-text.ts'
import { type Given, type PersonCommand, personCommand } from './frame.ts'

interface DecideOptions {
  readonly broker?: string
  readonly physicalOffset?: number
  readonly dryRun?: boolean
  readonly yes?: boolean
}

type Decision = 'commit' | 'rollback'

/** What became of an undecided transaction. */
export interface TransactionDecided {
  readonly by: 'planned' | 'declined' | 'done'
  readonly decision: Decision
  readonly transaction: UndecidedTransaction
}

const questions: Readonly<Record<Decision, (what: string) => string>> = {
  commit: what => `Deliver ${what} to its consumers, whatever its producer has done?`,
  rollback: what => `Drop ${what} so that nobody ever gets it?`,
}
const done: Readonly<Record<Decision, string>> = { commit: 'delivered', rollback: 'dropped' }
const said: Readonly<Record<TransactionDecided['by'], string>> = {
  planned: 'would be',
  declined: 'was not',
  done: 'is',
}

const what = ({ msgId, topic, producerGroup, bornAtMs }: UndecidedTransaction): string =>
  `${msgId} for ${topic}, which ${producerGroup} began at ${timeText(bornAtMs)},`

const decide = (decision: Decision): PersonCommand<DecideOptions, TransactionDecided> =>
  personCommand({
    run: async ({ session, words: [id = ''], options, confirm }: Given<DecideOptions>) => {
      const { broker: brokerName, physicalOffset } = options
      const transaction = await undecidedTransaction(session, id, { brokerName, physicalOffset })
      if (options.dryRun === true) return { by: 'planned', decision, transaction }
      if (options.yes === true) await decideTransaction(session, transaction, decision)
      else {
        if (!(await confirm(questions[decision](what(transaction))))) return { by: 'declined', decision, transaction }
        // Whoever is asked takes their time: the producer may have decided meanwhile, or been asked, which stores the message anew.
        const now = await undecidedTransaction(session, id, { brokerName: transaction.brokerName, physicalOffset })
        await decideTransaction(session, now, decision)
      }
      return { by: 'done', decision, transaction }
    },
    show: ({ by, transaction }) => [lines(`${what(transaction)} ${said[by]} ${done[decision]}`)],
  })

/** `skua tx commit ID`. */
export const txCommit = decide('commit')

/** `skua tx rollback ID`. */
export const txRollback = decide('rollback')
