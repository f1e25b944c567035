import { delayOffsetFile, type PendingTransaction, undeliverableTopic } from '@skua-mq/protocol'
import type { Route } from '@skua-mq/remoting'
import type { Runtime, Service } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import type { BrokerConfig } from './config/options.ts'
import { parseDelayLevels } from './delay/delay-levels.ts'
import { delayStep } from './delay/delay-step.ts'
import { DelayedDelivery } from './delay/delayed-delivery.ts'
import { delayRoutes } from './delay/routes.ts'
import { TableFile } from './persist/table-file.ts'
import { retryStep } from './retry/retry-step.ts'
import { retryRoutes } from './retry/routes.ts'
import { SendBack } from './retry/send-back.ts'
import type { SendStep } from './send/send-handler.ts'
import type { BrokerTables } from './tables.ts'
import { EndTransaction } from './transaction/end-transaction.ts'
import { halfStep } from './transaction/half-message.ts'
import { pendingTransactions } from './transaction/pending-transactions.ts'
import { transactionRoutes } from './transaction/routes.ts'
import { TransactionChecks } from './transaction/transaction-checks.ts'

const hourMs = 3_600_000

export interface DeliveryParts {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly store: MessageStore
  readonly tables: BrokerTables
  /** This broker as records carry it. */
  readonly storeHost: Uint8Array
}

/** What the broker stores on its own account: delayed messages, retries, dead letters, transactions. */
export interface Delivery extends Service {
  /** What becomes of a message that is not stored as it came. */
  readonly steps: readonly SendStep[]
  readonly routes: readonly Route[]
  /** Where a slave puts how far its master's delayed messages are. */
  readonly delays: Pick<DelayedDelivery, 'replace'>
  /** With an open store and loaded tables; nothing on a slave, whose master delivers. */
  start(): Promise<void>
  /** Before the store and the tables stop. */
  stop(): Promise<void>
  /** How far the delayed messages are, to disk at once; an error is an event. */
  save(): void
  /** Undecided transactions, oldest first; default limit 1000. */
  pendingTransactions(limit?: number): Promise<PendingTransaction[]>
}

/** Puts delay, retry and transactions together. */
export function delivery({ config, runtime, store, tables, storeHost }: DeliveryParts): Delivery {
  const { topics } = tables
  const levels = parseDelayLevels(config.messageDelayLevel)
  const delayed = new DelayedDelivery({
    ...runtime,
    store,
    levels,
    file: new TableFile({
      ...runtime,
      codec: delayOffsetFile,
      path: `${config.storePathRootDir}/config/delayOffset.json`,
    }),
    intervalMs: config.flushDelayOffsetInterval,
    undeliverable: () => topics.ensure(undeliverableTopic, 1, 'a message could not be delivered').topicName,
  })
  const group = (name: string) => tables.groups.findOrCreate(name)
  const brokerPermission = () => config.brokerPermission
  const counted = (name: string, topic: string) => tables.traffic.countSentBack(name, topic)
  const back = new SendBack({ store, topics, group, random: runtime.random, levels, brokerPermission, counted })
  const { clock } = runtime
  const end = new EndTransaction({ store, now: () => clock.now(), storeHost, levels })
  const checks = new TransactionChecks({
    ...runtime,
    store,
    topics,
    offsets: tables.offsets,
    producer: name => tables.producers.next(name),
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
  const pending = (limit?: number) => pendingTransactions({ store, clock, checks, settings: config }, limit)
  return {
    steps: [retryStep({ topics, group }), halfStep(() => config.rejectTransactionMessage), delayStep(levels)],
    routes: [...delayRoutes(delayed), ...retryRoutes(back), ...transactionRoutes({ end, checks, pending })],
    delays: delayed,
    name: 'delivery',
    start: async () => {
      if (config.brokerRole === 'SLAVE') return
      delayed.start()
      checks.start()
    },
    stop: async () => {
      if (config.brokerRole === 'SLAVE') return
      await checks.stop()
      await delayed.stop()
    },
    save: () => {
      if (config.brokerRole !== 'SLAVE') delayed.save()
    },
    pendingTransactions: pending,
  }
}
