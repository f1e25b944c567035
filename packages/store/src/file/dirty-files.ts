import { type Disk, parentOf } from '@skua-mq/runtime'
import type { OpenFiles } from './open-files.ts'
import { rewrite } from './rewrite.ts'

/** As many as libuv's pool has threads. */
const syncsAtOnce = 4

/** The files of queues that were written and not yet synced, and the directories that have got a name since. */
export class DirtyFiles {
  private readonly disk: Disk
  private readonly files: OpenFiles
  private unsynced = new Set<string>()
  private readonly syncing = new Set<string>()
  /** Files whose last sync did not succeed. */
  private readonly suspect = new Set<string>()
  private newNames = new Set<string>()

  constructor(parts: { disk: Disk; files: OpenFiles }) {
    this.disk = parts.disk
    this.files = parts.files
  }

  /** A file was written. */
  wrote(path: string): void {
    this.unsynced.add(path)
  }

  /** A name came into a directory, or went: those up to `root`, and the one it is in, are synced with the next files. */
  named(directory: string, root: string): void {
    for (const each of [directory, parentOf(directory), root, parentOf(root)]) this.newNames.add(each)
  }

  /** A file is no more. */
  gone(path: string): void {
    this.unsynced.delete(path)
  }

  /** How many files are listed. */
  get count(): number {
    return this.unsynced.size
  }

  /**
   * Syncs every file written before the call, several at a time, until `isOver`. False where that came before the end; what
   * is left stays listed, as when it throws. Throws DiskError.
   */
  async sync(isOver: () => boolean = () => false): Promise<boolean> {
    const paths = this.unsynced
    this.unsynced = new Set()
    try {
      await severalAtOnce(() => this.syncSome(paths, isOver))
    } finally {
      for (const left of paths) this.unsynced.add(left)
    }
    return paths.size === 0 && (await this.syncNames(isOver))
  }

  /** After the files: most file systems have brought the names along by then. */
  private async syncNames(isOver: () => boolean): Promise<boolean> {
    const names = this.newNames
    this.newNames = new Set()
    try {
      await severalAtOnce(() => this.syncSomeNames(names, isOver))
    } finally {
      for (const left of names) this.newNames.add(left)
    }
    return names.size === 0
  }

  private async syncSomeNames(names: Set<string>, isOver: () => boolean): Promise<void> {
    for (const directory of names) {
      if (isOver()) return
      names.delete(directory)
      try {
        if (this.disk.stat(directory) !== undefined) await this.files.syncDirectoryLater(directory)
      } catch (error) {
        this.newNames.add(directory)
        throw error
      }
    }
  }

  private async syncSome(paths: Set<string>, isOver: () => boolean): Promise<void> {
    for (const path of paths) {
      if (isOver()) return
      if (this.syncing.has(path)) continue
      this.syncing.add(path)
      try {
        if (this.disk.stat(path) !== undefined) await this.syncFile(path)
        paths.delete(path)
      } finally {
        this.syncing.delete(path)
      }
    }
  }

  private async syncFile(path: string): Promise<void> {
    const handle = this.files.acquire(path)
    try {
      if (this.suspect.has(path)) await rewrite(handle.file)
      this.suspect.add(path)
      await handle.file.syncData()
      this.suspect.delete(path)
    } finally {
      this.files.release(handle)
    }
  }
}

/** Throws what the first one threw that failed, once all have ended. */
async function severalAtOnce(work: () => Promise<void>): Promise<void> {
  const workers = Array.from({ length: syncsAtOnce }, work)
  for (const result of await Promise.allSettled(workers)) if (result.status === 'rejected') throw result.reason
}
