import { AdminError } from '@skua-mq/admin'
import { NodeDisk } from '@skua-mq/runtime'

/** Longest file of a body: four times what brokers take without being told otherwise. */
const maxBodyFileBytes = 16 * 1024 * 1024

/** Errors: ARGUMENT for a file that is not there or too long. */
export function bodyOfFile(path: string): Buffer {
  const disk = new NodeDisk()
  const stat = disk.stat(path)
  if (stat === undefined || stat.directory) throw new AdminError('ARGUMENT', `--body: there is no file ${path}`)
  if (stat.size > maxBodyFileBytes)
    throw new AdminError('ARGUMENT', `--body: ${path} has ${stat.size} bytes, ${maxBodyFileBytes} is the most`)
  return disk.readFile(path)
}
