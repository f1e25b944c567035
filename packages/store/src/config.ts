import { type Config, configOf } from '@skua-mq/runtime'
import { storeOptions } from './options.ts'

/** What a store is given: the values of `storeOptions`, and two facts about its machine. */
export type StoreConfig = Config<typeof storeOptions> & {
  /** Host of this broker as stored in each record: 4 or 16 bytes of address, then the port as int32. */
  readonly storeHost: Uint8Array
  /** Memory of the machine, bytes: decides what counts as "in memory" in the limits of a pull. */
  readonly totalMemoryBytes: number
}

/** The defaults with `changes` over them, frozen; `storeHost` is 127.0.0.1:10911 and the memory 4 GiB unless given. */
export function storeConfig(changes: Partial<StoreConfig> = {}): StoreConfig {
  const { storeHost, totalMemoryBytes, ...options } = changes
  return Object.freeze({
    ...configOf(storeOptions, options as Partial<Config<typeof storeOptions>>),
    storeHost: storeHost ?? Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f),
    totalMemoryBytes: totalMemoryBytes ?? 4096 * 1024 * 1024,
  })
}

/** What a store has that is told nothing. */
export const defaultStoreConfig: StoreConfig = storeConfig()
