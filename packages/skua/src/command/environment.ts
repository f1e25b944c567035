import type { OptionEntry, OptionTable } from '@skua-mq/runtime'

const prefix = 'SKUA_'

/**
 * Keys of a configuration out of the environment: `SKUA_FILE_RESERVED_TIME` and `SKUA_fileReservedTime` both say
 * fileReservedTime, over the file and under the command line. Other variables that begin so are somebody else's.
 */
export function entriesOf(env: NodeJS.ProcessEnv, table: OptionTable): OptionEntry[] {
  const keys = new Map(Object.keys(table).map(key => [plain(key), key]))
  return Object.entries(env).flatMap(([name, value]) => {
    if (!name.startsWith(prefix) || value === undefined) return []
    const key = keys.get(plain(name.slice(prefix.length)))
    return key === undefined ? [] : [{ key, value, source: name }]
  })
}

const plain = (name: string): string => name.replaceAll(/[_.]/g, '').toLowerCase()
