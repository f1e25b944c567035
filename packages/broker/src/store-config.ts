import type { StoreConfig } from '@skua-mq/store'
import type { BrokerConfig } from './config/options.ts'
import { over } from './config/over.ts'

/** The store's part of the broker's configuration. Keys of the same name mean the same. */
export const storeConfigOf = (
  config: BrokerConfig,
  further: Pick<StoreConfig, 'storeHost' | 'totalMemoryBytes' | 'maxOpenFiles'>,
): StoreConfig => over(config, further)
