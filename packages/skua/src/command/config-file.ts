import {
  type Config,
  decodeProperties,
  describeUnknown,
  nodeRuntime,
  type OptionEntry,
  type OptionReports,
  type OptionTable,
  PropertiesError,
  readOptions,
  readProperties,
} from '@skua-mq/runtime'

import { entriesOf } from './environment.ts'

/** What a server is told, and where each key of it stands. */
export interface Configured<T extends OptionTable> {
  readonly config: Config<T>
  /** As `broker.conf:12: `; empty for a key that has its default. */
  readonly placeOf: (key: string) => string
}

export interface ConfigSources<T extends OptionTable> {
  readonly file: string | undefined
  /** What the command line says. */
  readonly further: readonly OptionEntry[]
  readonly env: NodeJS.ProcessEnv
  /** What a server that is so configured keeps elsewhere: over the file, below the environment. */
  readonly kept?: ((config: Config<T>) => readonly OptionEntry[]) | undefined
  /** Somebody else has told of keys that stand in the file in vain. Default false. */
  readonly isTold?: boolean
}

/**
 * The configuration of a server: its file, then the environment, then what the command line says. Unknown keys and keys that do nothing here
 * are told on standard error and do not stop the start; a value that cannot be read does.
 */
export function configure<T extends OptionTable>(
  table: T,
  { file, further, env, kept, isTold = false }: ConfigSources<T>,
): Configured<T> {
  const entries = file === undefined ? [] : readFile(file)
  for (const entry of entries) refuseUnsupported(entry, file ?? '')
  const above = [...entriesOf(env, table), ...further]
  const source = file === undefined ? {} : { file }
  const first = readOptions(table, [...entries, ...above], source)
  const between = kept?.(first.config) ?? []
  const read = between.length === 0 ? first : readOptions(table, [...entries, ...between, ...above], source)
  if (!isTold) reportUnknown(read.reports)
  return { config: read.config, placeOf: key => read.places.get(key) ?? '' }
}

/** On standard error: what stands in a file in vain. */
export function reportUnknown(reports: OptionReports): void {
  for (const unknown of reports.unknown) process.stderr.write(`${describeUnknown(unknown)}\n`)
  if (reports.withoutEffect.length > 0) {
    process.stderr.write(`without effect here: ${reports.withoutEffect.map(({ key }) => key).join(', ')}\n`)
  }
}

/** The entries of a properties file. Errors name the file and the line. */
export function readFile(file: string): OptionEntry[] {
  try {
    return readProperties(decodeProperties(nodeRuntime().disk.readFile(file)))
  } catch (error) {
    throw error instanceof PropertiesError ? new Error(`${file}: ${error.message}`) : error
  }
}

/** Settings which would make a promise that is not kept. */
function refuseUnsupported({ key, value, line }: OptionEntry, file: string): void {
  const wanted = value.trim()
  if (key === 'storeType' && wanted !== 'default')
    throw new Error(`${file}:${line}: storeType is "${wanted}" and must be default: queues are kept in files`)
}

/** `~` and `${user.home}` at the beginning of a path. */
export const expandHome = (path: string, home: string): string => path.replace(/^(~|\$\{user\.home\})(?=\/|$)/, home)
