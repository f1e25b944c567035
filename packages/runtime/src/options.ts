import type { Option } from './option.ts'
import { printProperties } from './properties-file.ts'
import { didYouMean, nearest } from './text/nearest.ts'

/** Every key that a part understands, with all that is to be said about it. */
export type OptionTable = Readonly<Record<string, Option<string> | Option<number> | Option<boolean>>>

/** The values of a table: what the part is given, frozen. */
export type Config<T> = { readonly [K in keyof T]: T[K] extends Option<infer V> ? V : never }

/** A key with its text and where it was read; no line for what stands in no file. */
export interface OptionEntry {
  readonly key: string
  readonly value: string
  readonly line?: number
  /** What stands in place of a file: an environment variable, a flag. */
  readonly source?: string
}

export interface UnknownKey {
  readonly key: string
  readonly place: string
  /** The known key that was probably meant. */
  readonly nearest: string | undefined
}

export interface OptionReports {
  readonly unknown: readonly UnknownKey[]
  /** Keys of RocketMQ which were set and do nothing here. */
  readonly withoutEffect: readonly { readonly key: string; readonly place: string }[]
}

export interface OptionsRead<T> {
  readonly config: Config<T>
  readonly reports: OptionReports
  /** Where each key has its value from, as `broker.conf:12: `; those that have their defaults are missing. */
  readonly places: ReadonlyMap<string, string>
}

/** A value that its key does not take; the message is one line: place, key, value, and what it must be. */
export class OptionError extends Error {
  readonly key: string
  constructor(key: string, message: string) {
    super(message)
    this.name = 'OptionError'
    this.key = key
  }
}

/**
 * Values for every key of the table: the last entry of a key, else the last of one of its other spellings, else the
 * default. Unknown keys and keys without effect are reported and change nothing. Errors: OptionError.
 */
export function readOptions<T extends OptionTable>(
  table: T,
  entries: Iterable<OptionEntry>,
  source: { readonly file?: string } = {},
): OptionsRead<T> {
  const keyOf = keysBySpelling(table)
  const unknown: UnknownKey[] = []
  const withoutEffect = new Map<string, string>()
  const chosen = new Map<string, OptionEntry>()
  for (const entry of entries) {
    const key = keyOf.get(entry.key)
    const place = placeOf(entry, source.file)
    if (key === undefined) {
      unknown.push({ key: entry.key, place, nearest: nearest(entry.key, keyOf.keys()) })
      continue
    }
    if (table[key]!.effect === 'none') withoutEffect.set(key, place)
    const rival = chosen.get(key)
    if (rival === undefined || entry.key === key || rival.key !== key) chosen.set(key, entry)
  }
  const config: Record<string, unknown> = {}
  for (const [key, option] of Object.entries(table)) {
    const entry = chosen.get(key)
    config[key] = entry ? parsed(option, entry, placeOf(entry, source.file)) : defaultOf(option, config)
  }
  const places = new Map([...chosen].map(([key, entry]) => [key, placeOf(entry, source.file)]))
  const reports = { unknown, withoutEffect: [...withoutEffect].map(([key, place]) => ({ key, place })) }
  return { config: Object.freeze(config) as Config<T>, reports, places }
}

/**
 * The table's defaults, frozen, with `changes` over them; for parts that are embedded and for tests. Errors: OptionError for a key that
 * there is none of, and for a value of another kind or that is none of its choices: programs without types have nobody else who tells.
 */
export function configOf<T extends OptionTable>(table: T, changes: Partial<Config<T>> = {}): Config<T> {
  for (const [key, value] of Object.entries(changes)) {
    const option = table[key]
    if (option === undefined) throw new OptionError(key, `there is no key ${key}${didYouMean(key, Object.keys(table))}`)
    if (value === undefined) continue
    const kind = typeof defaultOf(option, {})
    if (typeof value !== kind)
      throw new OptionError(key, `${key} must be a ${kind}: ${JSON.stringify(value)} was given`)
    if (option.choices !== undefined && !option.choices.includes(value as string))
      parsed(option as OptionTable[string], { key, value: value as string }, '')
  }
  const config: Record<string, unknown> = {}
  for (const [key, option] of Object.entries(table)) {
    const given = (changes as Record<string, unknown>)[key]
    config[key] = given === undefined ? defaultOf(option, config) : given
  }
  return Object.freeze(config) as Config<T>
}

/** One key for the generated pages and for `--help`. */
export interface OptionRow {
  readonly key: string
  readonly kind: string
  /** As text; `(computed)` for a default that depends on the machine. */
  readonly default: string
  readonly help: string
  readonly live: boolean
  readonly effect: 'full' | 'none'
  readonly aliases: readonly string[]
  readonly since: string | undefined
}

/** In the order of the table. */
export function describeOptions(table: OptionTable): OptionRow[] {
  return Object.entries(table).map(([key, option]) => {
    const { kind, help, live, effect, aliases, since } = option
    const value = typeof option.default === 'function' ? '(computed)' : printed(option, option.default)
    return { key, kind, default: value, help, live, effect, aliases, since }
  })
}

/** The values in effect as the text of a properties file, in the order of the table. */
export function printConfig<T extends OptionTable>(table: T, config: Config<T>): string {
  const values = config as Record<string, unknown>
  return printProperties(Object.entries(table).map(([key, option]) => [key, printed(option, values[key])]))
}

/** The line with which a command tells of an unknown key. */
export function describeUnknown({ key, place, nearest: near }: UnknownKey): string {
  return `${place}unknown key ${key}${near === undefined ? '' : `; did you mean ${near}?`}`
}

function keysBySpelling(table: OptionTable): Map<string, string> {
  const keys = new Map<string, string>()
  for (const [key, option] of Object.entries(table)) {
    for (const alias of option.aliases) keys.set(alias, key)
  }
  for (const key of Object.keys(table)) keys.set(key, key)
  return keys
}

function parsed(option: OptionTable[string], entry: OptionEntry, place: string): unknown {
  try {
    return option.parse(entry.value.trim())
  } catch (error) {
    const wanted = error instanceof Error ? error.message : String(error)
    throw new OptionError(entry.key, `${place}${entry.key} is ${JSON.stringify(entry.value)} and must be ${wanted}`)
  }
}

/** `before`: the values of the keys that stand before it. */
function defaultOf(option: OptionTable[string], before: Readonly<Record<string, unknown>>): unknown {
  const given = option.default
  return typeof given === 'function' ? given(before) : given
}

/** The table's type no longer knows which value belongs to which option; its constructors did. */
function printed(option: OptionTable[string], value: unknown): string {
  return (option as Option<unknown>).print(value)
}

/** `broker.conf:12: `, or nothing when the entry came from no file. */
function placeOf(entry: OptionEntry, file: string | undefined): string {
  if (entry.source !== undefined) return `${entry.source}: `
  if (file === undefined) return ''
  return entry.line === undefined ? `${file}: ` : `${file}:${entry.line}: `
}
