import type { PendingTransaction } from '@skua-mq/protocol'
import { defineEvent, part, type Service } from '@skua-mq/runtime'
import type { ProducerGroups } from '../client-table/producer-groups.ts'
import { parseDelayLevels } from '../delay/delay-levels.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { OffsetTable } from '../offset/offset-table.ts'
import type { TimerEntry } from '../timer/feature.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import { EndTransaction } from './end-transaction.ts'
import { halfStep } from './half-message.ts'
import { pendingTransactions } from './pending-transactions.ts'
import { transactionRoutes } from './routes.ts'
import { TransactionChecks } from './transaction-checks.ts'
import { TransactionMetrics } from './transaction-metrics.ts'

const hourMs = 3_600_000

/** Half messages of before the start that metrics count, at most. */
const maxFoundHalves = 10_000

export const halvesNotCounted = defineEvent<{ error: unknown }>('metrics: half messages could not be counted', 'warn')

type Needs = On<'config' | 'dialect' | 'runtime' | 'store' | 'storeHost' | 'measures'> & {
  topics: TopicTable
  offsets: OffsetTable
  producers: ProducerGroups
  timerEntry: TimerEntry
}

/** Undecided transactions, oldest first; default limit 1000. */
export type Pending = (limit?: number) => Promise<PendingTransaction[]>

/** Half messages, their verdicts, and the checks of those without one. */
export const transactions: Feature<Needs, { pending: Pending; halves: TransactionMetrics | undefined }> = {
  name: 'transactions',
  make: needs => {
    const { config, dialect, runtime, store, storeHost, timerEntry } = needs
    const { clock } = runtime
    const levels = parseDelayLevels(config.messageDelayLevel)
    const halves = needs.measures ? new TransactionMetrics(config.metricsOtelCardinalityLimit) : undefined
    const end = new EndTransaction({
      ...{ store, storeHost, levels, timerEntry, halves },
      now: () => clock.now(),
      refusesLate: dialect.endTransactionAfterImmunityIsRefused,
    })
    const checks = checksOf(needs, { end, halves })
    const pending: Pending = limit => pendingTransactions({ store, clock, checks, settings: config }, limit)
    // The master of a slave asks its producers.
    const isAsking = config.brokerRole !== 'SLAVE'
    return {
      gives: { pending, halves },
      metrics: halves === undefined ? [] : [halves],
      routes: transactionRoutes({ end, checks, pending }),
      steps: [halfStep(() => config.rejectTransactionMessage, dialect)],
      services: [
        ...(halves === undefined ? [] : [found(halves, needs, pending)]),
        ...(isAsking ? [part('transaction checks', { start: () => checks.start(), stop: () => checks.stop() })] : []),
      ],
    }
  },
}

/** Before anything is sent, those that wait for their verdict from before are counted. */
const found = (halves: TransactionMetrics, { runtime }: Needs, pending: Pending): Service => ({
  name: 'half messages',
  start: async () => {
    try {
      for (const { topic } of await pending(maxFoundHalves)) halves.began(topic)
    } catch (error) {
      runtime.events.emit(halvesNotCounted({ error }))
    }
  },
  stop: async () => {},
})

function checksOf(
  { config, dialect, runtime, store, topics, offsets, producers }: Needs,
  { end, halves }: { end: EndTransaction; halves: TransactionMetrics | undefined },
): TransactionChecks {
  return new TransactionChecks({
    ...{ ...runtime, store, topics, offsets },
    producer: name => producers.next(name),
    isEnding: halfOffset => end.isEnding(halfOffset),
    isEnded: halfOffset => end.isEnded(halfOffset),
    givenUp: topic => halves?.givenUp(topic),
    writeOwed: () => end.writeOwed(),
    brokerName: config.brokerName,
    namesTopic: dialect.checkNamesTopic,
    settings: () => ({
      transactionTimeOut: config.transactionTimeOut,
      transactionCheckMax: config.transactionCheckMax,
      transactionCheckInterval: config.transactionCheckInterval,
      retentionMs: config.fileReservedTime * hourMs,
    }),
  })
}
