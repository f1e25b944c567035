import type { Clock } from '../clock.ts'
import type { Disk, DiskFile, DiskSpace, FileStat, OpenMode } from '../disk.ts'
import { DiskError } from '../error.ts'
import { createFileAlone } from './create-file.ts'
import { MemoryFile, type MemoryLimits } from './file.ts'
import { type DirectoryNode, filesIn, lookup, type Node, namesOf, newDirectory, newFile, placeOf } from './tree.ts'

/** Memory that a MemoryDisk takes at most unless told otherwise. Above it writes fail with ENOSPC. */
export const defaultMemoryDiskBytes = 1024 * 1024 * 1024

/** One name of one directory got another meaning; undefined: it is gone. */
export interface NameChange {
  readonly directory: DirectoryNode
  readonly name: string
  readonly node: Node | undefined
}

export interface MemoryDiskOptions {
  /** For modification times; default the machine's. */
  readonly clock?: Pick<Clock, 'now'>
  readonly capacityBytes?: number
  /** Told of every change of names, one call per atomic step. */
  readonly onNames?: (changes: readonly NameChange[]) => void
}

/** The store called `memory`: gone with the process. */
export const memoryDisk = (options: MemoryDiskOptions = {}): MemoryDisk => new MemoryDisk(options)

/**
 * A file system in memory, for the store called `memory` and under the simulator. Semantics of POSIX where the store
 * looks: rename replaces, an open file outlives its name, holes read as zeros. Syncs do nothing.
 */
export class MemoryDisk implements Disk, MemoryLimits {
  /** Files that were opened and not closed. */
  openFiles = 0
  readonly root: DirectoryNode
  private readonly options: MemoryDiskOptions
  private readonly clock: Pick<Clock, 'now'>
  private readonly capacityBytes: number
  private usedBytes = 0

  constructor(options: MemoryDiskOptions = {}) {
    this.options = options
    this.clock = options.clock ?? Date
    this.capacityBytes = options.capacityBytes ?? defaultMemoryDiskBytes
    this.root = newDirectory(this.clock.now())
  }

  open(path: string, mode: OpenMode): DiskFile {
    return this.openFile(path, mode)
  }

  openFile(path: string, mode: OpenMode): MemoryFile {
    let node = lookup(this.root, namesOf(path))
    if (node === undefined) {
      if (mode !== 'create' && mode !== 'create private') throw new DiskError('ENOENT', path)
      const { parent, name } = placeOf(this.root, path)
      node = newFile(this.now())
      this.change([{ directory: parent, name, node }])
    }
    if (node.kind === 'directory') throw new DiskError('EISDIR', path)
    this.openFiles++
    return new MemoryFile({ path, node }, mode, this)
  }

  closed(): void {
    this.openFiles--
  }

  stat(path: string): FileStat | undefined {
    const node = lookup(this.root, namesOf(path))
    if (node === undefined) return undefined
    const directory = node.kind === 'directory'
    return { size: directory ? 0 : node.pages.size, modifiedAtMs: node.modifiedAtMs, directory }
  }

  list(path: string): readonly string[] {
    const node = lookup(this.root, namesOf(path))
    return node?.kind === 'directory' ? [...node.entries.keys()].sort() : []
  }

  makeDirectory(path: string): void {
    let directory = this.root
    for (const name of namesOf(path)) {
      let next = directory.entries.get(name)
      if (next === undefined) {
        next = newDirectory(this.now())
        this.change([{ directory, name, node: next }])
      }
      if (next.kind !== 'directory') throw new DiskError('ENOTDIR', path)
      directory = next
    }
  }

  remove(path: string): void {
    const names = namesOf(path)
    const node = lookup(this.root, names)
    if (node === undefined) return
    const { parent, name } = placeOf(this.root, path)
    this.change([{ directory: parent, name, node: undefined }])
    this.forget(node)
  }

  rename(from: string, to: string): void {
    const node = lookup(this.root, namesOf(from))
    if (node === undefined) throw new DiskError('ENOENT', from)
    const source = placeOf(this.root, from)
    const target = placeOf(this.root, to)
    const replaced = target.parent.entries.get(target.name)
    if (replaced === node) return
    if (replaced !== undefined) refuseReplacing(node, replaced, to)
    this.change([
      { directory: source.parent, name: source.name, node: undefined },
      { directory: target.parent, name: target.name, node },
    ])
    if (replaced !== undefined) this.forget(replaced)
  }

  readFile(path: string): Buffer {
    const file = this.openFile(path, 'read')
    const bytes = Buffer.alloc(file.size())
    file.readSync(bytes, 0, bytes.length, 0)
    return bytes
  }

  writeFile(path: string, bytes: Uint8Array): void {
    const file = this.openFile(path, 'create')
    file.truncateSync(0)
    file.writeSync(bytes, 0, bytes.length, 0)
  }

  createFile(path: string, bytes: Uint8Array): boolean {
    return createFileAlone(this, path, bytes)
  }

  syncDirectory(path: string): void {
    if (lookup(this.root, namesOf(path))?.kind !== 'directory') throw new DiskError('ENOENT', path)
  }

  async syncDirectoryLater(path: string): Promise<void> {
    this.syncDirectory(path)
  }

  space(_path: string): DiskSpace {
    const { capacityBytes: totalBytes, usedBytes } = this
    return { totalBytes, usedBytes, usableBytes: Math.max(0, totalBytes - usedBytes) }
  }

  now(): number {
    return this.clock.now()
  }

  claim(bytes: number, path: string): void {
    if (bytes === 0) return
    if (this.usedBytes + bytes > this.capacityBytes) throw new DiskError('ENOSPC', path)
    this.usedBytes += bytes
  }

  release(bytes: number): void {
    this.usedBytes -= bytes
  }

  /** Counts again what is used, after the tree was changed from outside. */
  recount(): void {
    this.usedBytes = 0
    for (const file of filesIn(this.root)) {
      file.unlinked = false
      this.usedBytes += file.pages.allocatedBytes
    }
  }

  private forget(node: Node): void {
    for (const file of filesIn(node)) {
      file.unlinked = true
      this.release(file.pages.allocatedBytes)
    }
  }

  private change(changes: readonly NameChange[]): void {
    for (const { directory, name, node } of changes) {
      if (node === undefined) directory.entries.delete(name)
      else directory.entries.set(name, node)
      directory.modifiedAtMs = this.now()
    }
    this.options.onNames?.(changes)
  }
}

function refuseReplacing(node: Node, replaced: Node, path: string): void {
  if (replaced.kind === 'file') {
    if (node.kind === 'directory') throw new DiskError('ENOTDIR', path)
    return
  }
  if (node.kind === 'file') throw new DiskError('EISDIR', path)
  if (replaced.entries.size > 0) throw new DiskError('ENOTEMPTY', path)
}
