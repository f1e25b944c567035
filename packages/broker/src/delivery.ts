import { delayOffsetFile, ResponseCode } from '@skua-mq/protocol'
import type { Route } from '@skua-mq/remoting'
import type { Runtime } from '@skua-mq/runtime'
import { type MessageStore, parseDelayLevels } from '@skua-mq/store'
import type { BrokerConfig } from './config/options.ts'
import { delayStep } from './delay/delay-step.ts'
import { DelayedDelivery } from './delay/delayed-delivery.ts'
import { delayRoutes } from './delay/routes.ts'
import { TableFile } from './persist/table-file.ts'
import { retryStep } from './retry/retry-step.ts'
import { retryRoutes } from './retry/routes.ts'
import { SendBack } from './retry/send-back.ts'
import type { SendStep } from './send/send-handler.ts'
import type { BrokerTables } from './tables.ts'

export interface DeliveryParts {
  readonly config: BrokerConfig
  readonly runtime: Runtime
  readonly store: MessageStore
  readonly tables: BrokerTables
}

/** What the broker stores on its own account: delayed messages when their time has come. */
export interface Delivery {
  /** What becomes of a message that is not stored as it came. */
  readonly steps: readonly SendStep[]
  readonly routes: readonly Route[]
  /** With an open store and loaded tables. */
  start(): void
  /** Before the store and the tables stop. */
  stop(): Promise<void>
}

/** Puts delay, retry and transactions together. */
export function delivery({ config, runtime, store, tables }: DeliveryParts): Delivery {
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
  })
  const { topics } = tables
  const group = (name: string) => tables.groups.findOrCreate(name)
  const brokerPermission = () => config.brokerPermission
  const back = new SendBack({ store, topics, group, random: runtime.random, levels, brokerPermission })
  return {
    steps: [retryStep({ topics, group }), notYetTransactions, delayStep(levels)],
    routes: [...delayRoutes(delayed), ...retryRoutes(back)],
    start: () => delayed.start(),
    stop: () => delayed.stop(),
  }
}

const notYetTransactions: SendStep = ({ properties }) =>
  properties.halfMessage
    ? { code: ResponseCode.messageIllegal, remark: 'transactional messages are not supported yet' }
    : undefined
