import type { DataVersion, Dialect } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import { TableVersion } from '../persist/table-file.ts'

/**
 * The dataVersion that offsets of groups and of delay levels carry in 5.x: a slave of Java takes it over, and fails without one.
 * It says since when this broker runs; nobody compares it. Undefined in 4.9.
 */
export function offsetVersion(dialect: Dialect, clock: Pick<Clock, 'now'>): (() => DataVersion) | undefined {
  if (!dialect.offsetsHaveVersion) return undefined
  const version = new TableVersion(dialect)
  version.timestamp = clock.now()
  return () => version.toJSON()
}
