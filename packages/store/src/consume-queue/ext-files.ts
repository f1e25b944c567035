import type { Disk } from '@skua-mq/runtime'
import type { DirtyFiles } from '../file/dirty-files.ts'
import { fileName, fileOffset } from '../file/layout.ts'
import type { OpenFile, OpenFiles } from '../file/open-files.ts'

/** The files of ConsumeQueueExt: `root/TOPIC/QUEUEID/N{20}`, named after the address of their first byte. */
export class ExtFiles {
  readonly root: string
  readonly fileBytes: number
  private readonly disk: Disk
  private readonly files: OpenFiles
  private readonly dirty: DirtyFiles

  constructor(parts: { disk: Disk; files: OpenFiles; dirty: DirtyFiles }, place: { root: string; fileBytes: number }) {
    this.disk = parts.disk
    this.files = parts.files
    this.dirty = parts.dirty
    this.root = place.root
    this.fileBytes = place.fileBytes
  }

  /** First addresses of the files in a directory, ascending. */
  list(directory: string): number[] {
    const addresses: number[] = []
    for (const name of this.files.opened(() => this.disk.list(directory))) {
      const address = fileOffset(name)
      if (address !== undefined && address % this.fileBytes === 0) addresses.push(address)
    }
    return addresses
  }

  /** Writes bytes that may go across files. Throws DiskError. */
  write(directory: string, address: number, bytes: Buffer): void {
    for (let at = 0; at < bytes.length; ) {
      const place = (address + at) % this.fileBytes
      const length = Math.min(bytes.length - at, this.fileBytes - place)
      const handle = this.forWriting(directory, address + at - place)
      try {
        handle.file.writeSync(bytes, at, at + length, place)
      } finally {
        this.files.release(handle)
      }
      this.dirty.wrote(handle.path)
      if (place === 0) this.dirty.named(directory, this.root)
      at += length
    }
  }

  /** Reads up to `into.length` bytes, not past the end of a file; 0 where there is none. */
  readSync(directory: string, address: number, into: Buffer): number {
    const handle = this.existing(directory, address)
    if (handle === undefined) return 0
    const place = address % this.fileBytes
    try {
      return handle.file.readSync(into, 0, Math.min(into.length, this.fileBytes - place), place)
    } finally {
      this.files.release(handle)
    }
  }

  /** As `readSync`, through the pool. */
  async read(directory: string, address: number, into: Buffer): Promise<number> {
    const handle = this.existing(directory, address)
    if (handle === undefined) return 0
    const place = address % this.fileBytes
    try {
      return await handle.file.read(into, 0, Math.min(into.length, this.fileBytes - place), place)
    } finally {
      this.files.release(handle)
    }
  }

  /** Makes a file zero from `address` on. */
  clearFrom(directory: string, address: number): void {
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

  /** A file which another process wrote and may not have synced. */
  markUnsynced(directory: string, address: number): void {
    this.dirty.wrote(this.pathOf(directory, address))
    this.dirty.named(directory, this.root)
  }

  remove(directory: string, address: number): void {
    const path = this.pathOf(directory, address)
    this.files.forget(path)
    this.dirty.gone(path)
    this.disk.remove(path)
    this.dirty.named(directory, this.root)
  }

  removeDirectory(directory: string): void {
    for (const address of this.list(directory)) this.remove(directory, address)
    this.disk.remove(directory)
  }

  private existing(directory: string, address: number): OpenFile | undefined {
    const path = this.pathOf(directory, address - (address % this.fileBytes))
    try {
      return this.files.acquire(path)
    } catch (error) {
      if (this.disk.stat(path) === undefined) return undefined
      throw error
    }
  }

  private forWriting(directory: string, first: number): OpenFile {
    const path = this.pathOf(directory, first)
    try {
      return this.files.acquireSized(path, this.fileBytes)
    } catch (error) {
      if (this.disk.stat(directory) !== undefined) throw error
      this.disk.makeDirectory(directory)
      return this.files.acquireSized(path, this.fileBytes)
    }
  }

  private pathOf(directory: string, first: number): string {
    return `${directory}/${fileName(first)}`
  }
}
