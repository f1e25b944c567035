import type { PendingTransaction } from '@skua-mq/protocol'
import { part } from '@skua-mq/runtime'
import type { ProducerGroups } from '../client-table/producer-groups.ts'
import { parseDelayLevels } from '../delay/delay-levels.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { EndTransaction } from './end-transaction.ts'
import { halfStep } from './half-message.ts'
import { pendingTransactions } from './pending-transactions.ts'
import { transactionRoutes } from './routes.ts'
import { TransactionChecks } from './transaction-checks.ts'

const hourMs = 3_600_000

type Needs = On<'config' | 'runtime' | 'store' | 'storeHost'> & {
  topics: TopicTable
  offsets: OffsetTable
  producers: ProducerGroups
}

/** Undecided transactions, oldest first; default limit 1000. */
export type Pending = (limit?: number) => Promise<PendingTransaction[]>

/** Half messages, their verdicts, and the checks of those without one. */
export const transactions: Feature<Needs, { pending: Pending }> = {
  name: 'transactions',
  make: needs => {
    const { config, runtime, store, storeHost } = needs
    const { clock } = runtime
    const levels = parseDelayLevels(config.messageDelayLevel)
    const end = new EndTransaction({ store, now: () => clock.now(), storeHost, levels })
    const checks = checksOf(needs, end)
    const pending: Pending = limit => pendingTransactions({ store, clock, checks, settings: config }, limit)
    // The master of a slave asks its producers.
    const isAsking = config.brokerRole !== 'SLAVE'
    return {
      gives: { pending },
      routes: transactionRoutes({ end, checks, pending }),
      steps: [halfStep(() => config.rejectTransactionMessage)],
      services: isAsking
        ? [part('transaction checks', { start: () => checks.start(), stop: () => checks.stop() })]
        : [],
    }
  },
}

function checksOf(
  { config, runtime, store, topics, offsets, producers }: Needs,
  end: EndTransaction,
): TransactionChecks {
  return new TransactionChecks({
    ...{ ...runtime, store, topics, offsets },
    producer: name => producers.next(name),
    isEnding: halfOffset => end.isEnding(halfOffset),
    isEnded: halfOffset => end.isEnded(halfOffset),
    writeOwed: () => end.writeOwed(),
    brokerName: config.brokerName,
    settings: () => ({
      transactionTimeOut: config.transactionTimeOut,
      transactionCheckMax: config.transactionCheckMax,
      transactionCheckInterval: config.transactionCheckInterval,
      retentionMs: config.fileReservedTime * hourMs,
    }),
  })
}
