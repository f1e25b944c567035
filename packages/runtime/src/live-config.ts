import type { Option } from './option.ts'
import { type Config, type OptionTable, printConfig } from './options.ts'
import { PropertiesError, type PropertyEntry, readProperties } from './properties-file.ts'
import { didYouMean } from './text/nearest.ts'

/** Keys that changed, with their new values as text. */
export type ConfigChanges = ReadonlyMap<string, string>

/** Why an update was refused: nothing of it was taken. */
export interface UpdateRefusal {
  readonly guarded: boolean
  readonly reason: string
}

export interface LiveConfigParts<T extends OptionTable> {
  readonly table: T
  readonly config: Config<T>
  /** Keys that may not be changed from afar. */
  readonly guarded: () => readonly string[]
  readonly now: () => number
  /** Keeps what changed for the next start. */
  readonly keep?: ((changes: ConfigChanges) => void) | undefined
}

/**
 * The options of a running broker (25, 26) or name server (318, 319). `values` is one object for all parts; the keys that are marked live change in
 * it, so that whoever reads them later sees the change.
 */
export class LiveConfig<T extends OptionTable> {
  readonly values: Config<T>
  /** Counts the changes since the start; `timestamp` is of the last one, 0 before it. */
  readonly version = { counter: 0, timestamp: 0 }
  private readonly parts: LiveConfigParts<T>
  private readonly listeners: ((changes: ConfigChanges) => void)[] = []

  constructor(parts: LiveConfigParts<T>) {
    this.parts = parts
    this.values = { ...parts.config }
  }

  /** Runs after each update that changed something. */
  onChange(listener: (changes: ConfigChanges) => void): void {
    this.listeners.push(listener)
  }

  /** All values as the text of a properties file. */
  print(): string {
    return printConfig(this.parts.table, this.values)
  }

  /**
   * Takes all of the text or nothing. An unknown key is refused, with the one that was probably meant; a value that does
   * not change is no change.
   */
  update(text: string): UpdateRefusal | undefined {
    let entries: readonly PropertyEntry[]
    try {
      entries = readProperties(text)
    } catch (error) {
      if (error instanceof PropertiesError) return { guarded: false, reason: error.message }
      throw error
    }
    const guarded = this.parts.guarded()
    const taken = new Map<string, { parsed: unknown; text: string }>()
    for (const { key, value } of entries) {
      if (guarded.includes(key))
        return { guarded: true, reason: `${key} may not be changed from afar (configBlackList)` }
      const problem = this.take(key, value, taken)
      if (problem !== undefined) return { guarded: false, reason: problem }
    }
    if (taken.size > 0) this.apply(taken)
    return undefined
  }

  private take(key: string, value: string, taken: Map<string, { parsed: unknown; text: string }>): string | undefined {
    if (!Object.hasOwn(this.parts.table, key))
      return `${key} is no key of this server${didYouMean(key, Object.keys(this.parts.table))}`
    const option = this.parts.table[key] as Option<unknown>
    let parsed: unknown
    try {
      parsed = option.parse(value)
    } catch (error) {
      return `${key} is ${JSON.stringify(value)} and must be ${(error as Error).message}`
    }
    taken.delete(key)
    if (parsed === (this.values as Record<string, unknown>)[key]) return undefined
    if (option.effect === 'none') return `${key} has no effect here: ${option.help}`
    if (!option.live) return `${key} takes effect at the start only: set it in the configuration file`
    taken.set(key, { parsed, text: option.print(parsed) })
    return undefined
  }

  private apply(taken: ReadonlyMap<string, { parsed: unknown; text: string }>): void {
    for (const [key, { parsed }] of taken) (this.values as Record<string, unknown>)[key] = parsed
    this.version.counter++
    this.version.timestamp = this.parts.now()
    const changes = new Map([...taken].map(([key, { text }]) => [key, text]))
    this.parts.keep?.(changes)
    for (const listener of this.listeners) listener(changes)
  }
}
