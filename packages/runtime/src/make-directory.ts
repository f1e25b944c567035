import type { Disk } from './disk.ts'
import { DiskError } from './error.ts'

/**
 * Makes a directory with its parents; their names are on the medium when this returns. Throws DiskError: a directory whose
 * name could not be synced is gone again, so that the next try does not take it for one that was.
 */
export function makeDirectorySynced(disk: Disk, directory: string): void {
  if (directory === '.' || directory === '/') return
  const found = disk.stat(directory)
  if (found?.directory === false) throw new DiskError('ENOTDIR', directory)
  if (found !== undefined) return
  const parent = parentOf(directory)
  makeDirectorySynced(disk, parent)
  disk.makeDirectory(directory)
  try {
    disk.syncDirectory(parent)
  } catch (error) {
    disk.remove(directory)
    throw error
  }
}

export function parentOf(path: string): string {
  const whole = path.replace(/(?<=.)\/+$/, '')
  const at = whole.lastIndexOf('/')
  return at < 0 ? '.' : whole.slice(0, at) || '/'
}
