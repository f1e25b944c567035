import { defaultStoreConfig, type StoreConfig } from '@skua-mq/store'
import type { BrokerConfig } from './config/options.ts'

/** The store's part of the broker's configuration. Keys of the same name mean the same. */
export function storeConfigOf(
  config: BrokerConfig,
  further: { storeHost: Uint8Array; totalMemoryBytes: number },
): StoreConfig {
  const shared: Record<string, unknown> = {}
  for (const key of Object.keys(defaultStoreConfig))
    if (key in config) shared[key] = (config as Record<string, unknown>)[key]
  return Object.freeze({ ...defaultStoreConfig, ...shared, ...further }) as StoreConfig
}
