import {
  AdminError,
  type AdminSession,
  clusterBrokers,
  demote,
  masterNamed,
  type Promotion,
  promote,
  type RoleChange,
} from '@skua-mq/admin'
import { lines } from '../mqadmin/frame/table.ts'
import { type Given, personCommand } from './frame.ts'

interface Options {
  readonly force?: boolean
}

/** `skua broker promote BROKER`. */
export const brokerPromote = personCommand({
  run: async ({ session, words, options }: Given<Options>): Promise<Promotion> =>
    promote(session, { address: await slaveAt(session, words[0]!), force: options.force === true }),
  show: ({ promoted, demoted }) => [
    lines(
      ...(demoted === undefined ? [] : [`${demoted.address} is a slave now; its log ended at ${demoted.logEnd}`]),
      `${promoted.address} is the master of ${promoted.brokerName} now, of epoch ${promoted.epoch}; its log ended at ${promoted.logEnd}`,
    ),
  ],
})

/** `skua broker demote BROKER`. */
export const brokerDemote = personCommand({
  run: async ({ session, words, options }: Given<Options>): Promise<RoleChange> =>
    demote(session, { address: await masterAt(session, words[0]!), force: options.force === true }),
  show: ({ address, brokerName, logEnd }) => [
    lines(
      `${address} is a slave now; its log ended at ${logEnd}`,
      `${brokerName} has no master until one is promoted: skua broker promote`,
    ),
  ],
})

const isAddress = (word: string): boolean => /:\d+$/.test(word)

const masterAt = async (session: AdminSession, word: string): Promise<string> =>
  isAddress(word) ? word : (await masterNamed(session, word)).address

async function slaveAt(session: AdminSession, word: string): Promise<string> {
  if (isAddress(word)) return word
  const slaves = (await clusterBrokers(session)).filter(
    ({ brokerName, brokerId }) => brokerName === word && brokerId > 0,
  )
  if (slaves.length === 1) return slaves[0]!.address
  const which = slaves.length === 0 ? 'no slave is registered' : `say which: ${slaves.map(s => s.address).join(', ')}`
  throw new AdminError('NOT_FOUND', `${word}: ${which}`)
}
