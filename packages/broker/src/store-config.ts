import type { StoreConfig } from '@skua-mq/store'
import type { BrokerConfig } from './config/options.ts'

/** The store's part of the broker's configuration. Keys of the same name mean the same. */
export function storeConfigOf(
  config: BrokerConfig,
  further: Pick<StoreConfig, 'storeHost' | 'totalMemoryBytes' | 'maxOpenFiles'>,
): StoreConfig {
  // Still the broker's own object underneath: what a tool changes (25) is read where it is used.
  return Object.assign(Object.create(config), further) as StoreConfig
}
