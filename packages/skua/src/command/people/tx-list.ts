import { type UndecidedTransaction, type UndecidedTransactions, undecidedTransactions } from '@skua-mq/admin'
import { lines, table } from '../mqadmin/frame/table.ts'
import { timeText } from '../mqadmin/frame/time-text.ts'
import { type Given, personCommand } from './frame.ts'
import { waitText } from './wait-text.ts'

interface ListOptions {
  readonly limit: number
}

/** `skua tx list`. */
export const txList = personCommand({
  run: async ({
    session,
    options,
  }: Given<ListOptions>): Promise<UndecidedTransactions & { readonly nowMs: number }> => {
    const found = await undecidedTransactions(session, options.limit)
    return { ...found, nowMs: session.runtime.clock.now() }
  },
  show: ({ transactions, without, nowMs }, { options }) => [
    transactions.length === 0 ? lines('no transaction is pending') : transactionTable(transactions, nowMs),
    lines(...(transactions.length < options.limit ? [] : [`there may be more: --limit ${10 * options.limit}`])),
    lines(...without.map(name => `broker ${name} does not say what is pending there: only Skua's masters do`)),
  ],
})

const transactionTable = (transactions: readonly UndecidedTransaction[], nowMs: number) =>
  table(
    [
      { title: 'BEGUN', cell: row => timeText(row.bornAtMs) },
      { title: 'TOPIC', cell: row => row.topic },
      { title: 'ID', cell: row => row.msgId },
      { title: 'PRODUCERS', cell: row => row.producerGroup },
      { title: 'ASKED', cell: row => String(row.checks), right: true },
      { title: 'NEXT CHECK', cell: row => waitText(row.nextCheckAtMs - nowMs), right: true },
      { title: 'BROKER', cell: row => row.brokerName },
    ],
    transactions,
  )
