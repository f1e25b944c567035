import { type Disk, decodeProperties, type OptionEntry, PropertiesError, readProperties } from '@skua-mq/runtime'

/**
 * What tools changed at one broker of a family while it ran, over the broker.conf that all share: a broker that was drained must not make the
 * others leave at the next start. Once it is there it counts for that store, whether or not others stand beside it.
 */
export const ownSettingsPath = (root: string): string => `${root}/config/skuaSettings.properties`

/** Its entries; none where there is no such file. Errors name file and line. */
export function ownSettings(disk: Disk, root: string): OptionEntry[] {
  const path = ownSettingsPath(root)
  if (disk.stat(path) === undefined) return []
  try {
    return readProperties(decodeProperties(disk.readFile(path))).map(({ key, value, line }) => ({
      ...{ key, value },
      source: `${path}:${line}`,
    }))
  } catch (error) {
    throw error instanceof PropertiesError ? new Error(`${path}: ${error.message}`) : error
  }
}

/** A drain has ended here: nothing may be sent to this broker, and no name server knows it. */
export function hasLeft(disk: Disk, root: string): boolean {
  const values = new Map(ownSettings(disk, root).map(({ key, value }) => [key, value.trim()]))
  const permission = values.get('brokerPermission')
  return values.get('namesrvAddr') === '' && permission !== undefined && (Number(permission) & 2) === 0
}
