import type { Disk } from '../disk.ts'

/** `Disk.createFile` where nobody else can come between the question and the write. */
export function createFileAlone(
  disk: Pick<Disk, 'stat' | 'writeFile' | 'remove'>,
  path: string,
  bytes: Uint8Array,
): boolean {
  if (disk.stat(path) !== undefined) return false
  try {
    disk.writeFile(path, bytes)
  } catch (error) {
    disk.remove(path)
    throw error
  }
  return true
}
