import type { Disk } from '@skua-mq/runtime'
import type { DirtyFiles } from '../file/dirty-files.ts'
import { fileName, fileOffset } from '../file/layout.ts'
import type { OpenFile, OpenFiles } from '../file/open-files.ts'

export interface SizedFilesParts {
  readonly disk: Disk
  readonly files: OpenFiles
  readonly dirty: DirtyFiles
}

/** A stretch of a buffer. */
export interface Stretch {
  readonly bytes: Buffer
  readonly from: number
  readonly to: number
}

/**
 * Files of one size in directories under `root`, each named after the address of its first byte: together they are one
 * row of bytes. A directory is a queue's, of ConsumeQueue or of ConsumeQueueExt.
 */
export class SizedFiles {
  readonly disk: Disk
  readonly root: string
  readonly fileBytes: number
  protected readonly files: OpenFiles
  private readonly dirty: DirtyFiles

  constructor(parts: SizedFilesParts, place: { readonly root: string; readonly fileBytes: number }) {
    this.disk = parts.disk
    this.files = parts.files
    this.dirty = parts.dirty
    this.root = place.root
    this.fileBytes = place.fileBytes
  }

  /** What stands in a directory. */
  names(directory: string): readonly string[] {
    return this.files.opened(() => this.disk.list(directory))
  }

  /** First addresses of the files in a directory, ascending; `anySize`: also those that were made for another size. */
  addresses(directory: string, { anySize = false }: { anySize?: boolean } = {}): number[] {
    const found: number[] = []
    for (const name of this.names(directory)) {
      const address = fileOffset(name)
      if (address !== undefined && (anySize || address % this.fileBytes === 0)) found.push(address)
    }
    return found
  }

  /** Writes bytes that may go across files. Throws DiskError. */
  writeAt(directory: string, address: number, { bytes, from, to }: Stretch): void {
    for (let at = from; at < to; ) {
      const target = address + at - from
      const place = target % this.fileBytes
      const length = Math.min(to - at, this.fileBytes - place)
      const handle = this.forWriting(directory, target - place)
      try {
        handle.file.writeSync(bytes, at, at + length, place)
      } finally {
        this.files.release(handle)
      }
      this.dirty.wrote(handle.path)
      if (place === 0) this.named(directory)
      at += length
    }
  }

  /** Reads up to `length` bytes into `into`, not past the end of a file; returns how many, 0 where `existing` finds none. */
  readAtSync(directory: string, address: number, { into, length }: { into: Buffer; length: number }): number {
    const place = address % this.fileBytes
    const handle = this.existing(this.pathOf(directory, address - place))
    if (handle === undefined) return 0
    try {
      return handle.file.readSync(into, 0, Math.min(length, this.fileBytes - place), place)
    } finally {
      this.files.release(handle)
    }
  }

  /** As `readAtSync`, through the pool. */
  async readAt(
    directory: string,
    address: number,
    { into, length }: { into: Buffer; length: number },
  ): Promise<number> {
    const place = address % this.fileBytes
    const handle = this.existing(this.pathOf(directory, address - place))
    if (handle === undefined) return 0
    try {
      return await handle.file.read(into, 0, Math.min(length, this.fileBytes - place), place)
    } finally {
      this.files.release(handle)
    }
  }

  /** Makes a file zero from `address` on. */
  clearFromAddress(directory: string, address: number): void {
    const place = address % this.fileBytes
    const handle = this.forWriting(directory, address - place)
    try {
      handle.file.truncateSync(place)
      handle.file.truncateSync(this.fileBytes)
    } finally {
      this.files.release(handle)
    }
    this.dirty.wrote(handle.path)
  }

  /** A file, and its name, which another process wrote and may not have synced. */
  markFileUnsynced(directory: string, address: number): void {
    this.dirty.wrote(this.pathOf(directory, address))
    this.named(directory)
  }

  removeFile(directory: string, address: number): void {
    const path = this.pathOf(directory, address)
    this.files.forget(path)
    this.dirty.gone(path)
    this.disk.remove(path)
    this.named(directory)
  }

  removeDirectory(directory: string): void {
    for (const address of this.addresses(directory)) this.removeFile(directory, address)
    this.disk.remove(directory)
  }

  /** Throws DiskError where there is none. */
  protected existing(path: string): OpenFile | undefined {
    return this.files.acquire(path)
  }

  protected forWriting(directory: string, address: number): OpenFile {
    const path = this.pathOf(directory, address)
    try {
      return this.files.acquireSized(path, this.fileBytes)
    } catch (error) {
      if (this.disk.stat(directory) !== undefined) throw error
      this.disk.makeDirectory(directory)
      return this.files.acquireSized(path, this.fileBytes)
    }
  }

  protected pathOf(directory: string, address: number): string {
    return `${directory}/${fileName(address)}`
  }

  private named(directory: string): void {
    this.dirty.named(directory, this.root)
  }
}
