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

/** Milliseconds per delay level, index 0 being level 1. Units s, m, h, d; an entry that is none of these counts as 1 s. */
export function parseDelayLevels(text: string): number[] {
  const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  return text
    .trim()
    .split(/\s+/)
    .map(level => {
      const unit = units[level.at(-1) ?? '']
      const count = Number.parseInt(level, 10)
      return unit === undefined || Number.isNaN(count) ? 1000 : count * unit
    })
}
