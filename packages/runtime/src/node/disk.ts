import { randomUUID } from 'node:crypto'
import fs from 'node:fs'
import { dirname } from 'node:path'
import process from 'node:process'
import type { Disk, DiskFile, DiskSpace, FileStat, OpenMode } from '../disk.ts'
import { DiskError } from '../error.ts'
import { codeOf } from './code.ts'
import { NodeFile } from './file.ts'

const flagsOf: Record<OpenMode, number> = {
  read: fs.constants.O_RDONLY,
  write: fs.constants.O_RDWR,
  create: fs.constants.O_RDWR | fs.constants.O_CREAT,
  'create private': fs.constants.O_RDWR | fs.constants.O_CREAT,
}

/** Codes which mean that a name leads nowhere: no entry, or a file where a directory was expected on the way. */
const absent = new Set(['ENOENT', 'ENOTDIR'])

/** Codes of file systems that have no hard links. */
const linkless = new Set(['EPERM', 'ENOTSUP', 'EOPNOTSUPP', 'ENOSYS', 'EMLINK'])

/** False where the name is taken. */
function isMade(make: () => void): boolean {
  try {
    make()
    return true
  } catch (error) {
    if (codeOf(error) === 'EEXIST') return false
    throw error
  }
}

/** The machine's file system through node:fs. */
export class NodeDisk implements Disk {
  open(path: string, mode: OpenMode): DiskFile {
    return new NodeFile(
      path,
      wrapped(path, () => fs.openSync(path, flagsOf[mode], mode === 'create private' ? 0o600 : 0o666)),
    )
  }

  stat(path: string): FileStat | undefined {
    return unlessAbsent(path, () => {
      const stat = fs.statSync(path)
      return { size: stat.size, modifiedAtMs: Math.floor(stat.mtimeMs), directory: stat.isDirectory() }
    })
  }

  list(path: string): readonly string[] {
    return unlessAbsent(path, () => fs.readdirSync(path).sort()) ?? []
  }

  makeDirectory(path: string): void {
    wrapped(path, () => makeWithParents(path))
  }

  remove(path: string): void {
    unlessAbsent(path, () => fs.rmSync(path, { recursive: true, force: true }))
  }

  rename(from: string, to: string): void {
    wrapped(from, () => fs.renameSync(from, to))
  }

  readFile(path: string): Buffer {
    return wrapped(path, () => fs.readFileSync(path))
  }

  writeFile(path: string, bytes: Uint8Array): void {
    wrapped(path, () => fs.writeFileSync(path, bytes))
  }

  createFile(path: string, bytes: Uint8Array): boolean {
    const whole = `${path}.${process.pid}-${randomUUID()}`
    return wrapped(path, () => {
      try {
        fs.writeFileSync(whole, bytes, { flag: 'wx' })
        // A link is made or not, and the name is never seen without its bytes.
        return isMade(() => fs.linkSync(whole, path))
      } catch (error) {
        if (!linkless.has(codeOf(error))) throw error
        return isMade(() => fs.writeFileSync(path, bytes, { flag: 'wx' }))
      } finally {
        fs.rmSync(whole, { force: true })
      }
    })
  }

  /** Makes created, renamed and removed names of this directory survive a power cut. */
  syncDirectory(path: string): void {
    wrapped(path, () => {
      const fd = fs.openSync(path, fs.constants.O_RDONLY)
      try {
        fs.fsyncSync(fd)
      } finally {
        fs.closeSync(fd)
      }
    })
  }

  async syncDirectoryLater(path: string): Promise<void> {
    const fd = wrapped(path, () => fs.openSync(path, fs.constants.O_RDONLY))
    try {
      await new Promise<void>((resolve, reject) => {
        fs.fsync(fd, error => (error ? reject(new DiskError(codeOf(error), path)) : resolve()))
      })
    } finally {
      wrapped(path, () => fs.closeSync(fd))
    }
  }

  /** Of the file system the path is on, or will be on: a missing path is asked for its nearest existing parent. */
  space(path: string): DiskSpace {
    const found = unlessAbsent(path, () => fs.statfsSync(path))
    if (found === undefined) {
      const parent = dirname(path)
      if (parent === path) throw new DiskError('ENOENT', path)
      return this.space(parent)
    }
    const { blocks, bfree, bavail, bsize } = found
    return { totalBytes: blocks * bsize, usedBytes: (blocks - bfree) * bsize, usableBytes: bavail * bsize }
  }
}

/** Node's own way with parents never ends where a name cannot be made in a directory that is there, as in /proc. */
function makeWithParents(path: string): void {
  try {
    fs.mkdirSync(path)
  } catch (error) {
    const code = codeOf(error)
    const parent = dirname(path)
    if (code === 'ENOENT' && parent !== path && fs.statSync(parent, { throwIfNoEntry: false }) === undefined) {
      makeWithParents(parent)
      fs.mkdirSync(path)
    } else if (!fs.statSync(path, { throwIfNoEntry: false })?.isDirectory()) throw error
  }
}

function wrapped<T>(path: string, call: () => T): T {
  try {
    return call()
  } catch (error) {
    throw new DiskError(codeOf(error), path, error)
  }
}

function unlessAbsent<T>(path: string, call: () => T): T | undefined {
  try {
    return call()
  } catch (error) {
    if (absent.has(codeOf(error))) return undefined
    throw new DiskError(codeOf(error), path, error)
  }
}
