import { assert } from '../assert.ts'
import type { DiskFile, OpenMode } from '../disk.ts'
import { DiskError } from '../error.ts'
import type { FileNode } from './tree.ts'

/** What an open file needs of its disk. */
export interface MemoryLimits {
  now(): number
  /** Errors: ENOSPC when that much more is not there. */
  claim(bytes: number, path: string): void
  release(bytes: number): void
  /** Called once. */
  closed(): void
}

/** An open file of a MemoryDisk. A removed or renamed file stays readable and writable through it, as with a descriptor. */
export class MemoryFile implements DiskFile {
  readonly path: string
  readonly node: FileNode
  private readonly writable: boolean
  private readonly limits: MemoryLimits
  private closed = false

  constructor(at: { path: string; node: FileNode }, mode: OpenMode, limits: MemoryLimits) {
    this.path = at.path
    this.node = at.node
    this.writable = mode !== 'read'
    this.limits = limits
  }

  writeSync(bytes: Uint8Array, start: number, end: number, position: number): void {
    this.mustWrite()
    // A kernel would refuse it, or write somewhere.
    assert(position >= 0, 'bytes are written at a place of the file')
    const { pages } = this.node
    if (!this.node.unlinked) this.limits.claim(pages.needed(position, end - start), this.path)
    pages.write(bytes.subarray(start, end), position)
    this.node.modifiedAtMs = this.limits.now()
  }

  async write(bytes: Uint8Array, start: number, end: number, position: number): Promise<void> {
    this.writeSync(bytes, start, end, position)
  }

  readSync(into: Uint8Array, at: number, length: number, position: number): number {
    this.mustBeOpen()
    return this.node.pages.read(into.subarray(at, at + length), position)
  }

  async read(into: Uint8Array, at: number, length: number, position: number): Promise<number> {
    return this.readSync(into, at, length, position)
  }

  async syncData(): Promise<void> {
    this.syncDataSync()
  }

  syncDataSync(): void {
    this.mustBeOpen()
  }

  truncateSync(size: number): void {
    this.mustWrite()
    const { pages } = this.node
    const before = pages.allocatedBytes
    pages.truncate(size)
    if (!this.node.unlinked) this.limits.release(before - pages.allocatedBytes)
    this.node.modifiedAtMs = this.limits.now()
  }

  size(): number {
    this.mustBeOpen()
    return this.node.pages.size
  }

  touch(atMs: number): void {
    this.mustBeOpen()
    this.node.modifiedAtMs = Math.floor(atMs)
  }

  closeSync(): void {
    if (!this.closed) this.limits.closed()
    this.closed = true
  }

  private mustBeOpen(): void {
    if (this.closed) throw new DiskError('EBADF', this.path)
  }

  private mustWrite(): void {
    this.mustBeOpen()
    if (!this.writable) throw new DiskError('EBADF', this.path)
  }
}
