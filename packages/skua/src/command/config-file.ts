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

/**
 * The configuration of a server: its file, then the environment, then what the command line says. Unknown keys and keys that do nothing here
 * are told on standard error and do not stop the start; a value that cannot be read does.
 */
export function configure<T extends OptionTable>(
  table: T,
  { file, further }: { file: string | undefined; further: readonly OptionEntry[] },
): Config<T> {
  const entries = file === undefined ? [] : readFile(file)
  for (const entry of entries) refuseUnsupported(entry, file ?? '')
  const { config, reports } = readOptions(
    table,
    [...entries, ...entriesOf(process.env, table), ...further],
    file === undefined ? {} : { file },
  )
  reportUnknown(reports)
  return config
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
function refuseUnsupported({ key, value }: OptionEntry, file: string): void {
  const wanted = value.trim()
  if (key === 'enableDLegerCommitLog' && wanted === 'true')
    throw new Error(`${file}: enableDLegerCommitLog=true is not supported`)
  if (key === 'enableControllerMode' && wanted === 'true')
    throw new Error(`${file}: enableControllerMode=true is not supported`)
  if (key === 'storeType' && wanted !== 'default')
    throw new Error(`${file}: storeType=${wanted} is not supported: queues are kept in files`)
}

/** `~` and `${user.home}` at the beginning of a path. */
export const expandHome = (path: string, home: string): string => path.replace(/^(~|\$\{user\.home\})(?=\/|$)/, home)
