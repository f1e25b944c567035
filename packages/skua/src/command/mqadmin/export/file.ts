import type { Disk } from '@skua-mq/runtime'
import { jsonText } from '../frame/json.ts'

/** Where Apache's tool puts its exports. */
export const defaultExportPath = '/tmp/rocketmq/export'

/** Writes a result as JSON into a directory, which is made; answers the file's path. Errors: DiskError. */
export function exportTo(
  disk: Disk,
  { directory, name }: { readonly directory: string; readonly name: string },
  value: unknown,
): string {
  disk.makeDirectory(directory)
  const path = `${directory}/${name}`
  const file = disk.open(path, 'create')
  try {
    const bytes = Buffer.from(`${jsonText(value)}\n`)
    file.truncateSync(0)
    file.writeSync(bytes, 0, bytes.length, 0)
  } finally {
    file.closeSync()
  }
  return path
}
