import {
  type Clock,
  type Disk,
  type DiskCall,
  DiskError,
  type DiskFaults,
  type DiskFile,
  type DiskSpace,
  type FileStat,
  type Life,
  type OpenMode,
} from '@skua-mq/runtime'
import type { Quiet } from '../clock/quiet.ts'

export interface KitDiskParts {
  readonly base: Disk
  readonly faults: DiskFaults
  readonly clock: Clock
  readonly quiet: Quiet
  /** Of the broker that uses it: what a dead one asks for fails. */
  readonly life: Life
}

/** A disk with faults, as one life of a broker sees it. */
export class KitDisk implements Disk {
  private readonly parts: KitDiskParts

  constructor(parts: KitDiskParts) {
    this.parts = parts
  }

  open(path: string, mode: OpenMode): DiskFile {
    enter(this.parts, 'open', path)
    return new KitFile(this.parts.base.open(path, mode), this.parts)
  }

  stat(path: string): FileStat | undefined {
    return this.alive(path).stat(path)
  }

  list(path: string): readonly string[] {
    return this.alive(path).list(path)
  }

  makeDirectory(path: string): void {
    this.named(path).makeDirectory(path)
  }

  remove(path: string): void {
    this.named(path).remove(path)
  }

  rename(from: string, to: string): void {
    this.named(from).rename(from, to)
  }

  readFile(path: string): Buffer {
    enter(this.parts, 'open', path)
    enter(this.parts, 'read', path)
    return this.parts.base.readFile(path)
  }

  writeFile(path: string, bytes: Uint8Array): void {
    const file = this.open(path, 'create')
    try {
      file.truncateSync(0)
      file.writeSync(bytes, 0, bytes.length, 0)
    } finally {
      file.closeSync()
    }
  }

  createFile(path: string, bytes: Uint8Array): boolean {
    enter(this.parts, 'write', path)
    return this.named(path).createFile(path, bytes)
  }

  syncDirectory(path: string): void {
    enter(this.parts, 'sync', path)
    this.named(path).syncDirectory(path)
  }

  async syncDirectoryLater(path: string): Promise<void> {
    await slowly(this.parts, path)
    enter(this.parts, 'sync', path)
    const base = this.named(path)
    await this.parts.quiet.during(() => base.syncDirectoryLater(path))
  }

  /** Where a test says that the disk is full, somebody else has taken the rest. */
  space(path: string): DiskSpace {
    const { faults } = this.parts
    const space = this.alive(path).space(path)
    if (faults.bytesUntilFull >= space.usableBytes) return space
    const left = faults.bytesUntilFull
    return { totalBytes: space.totalBytes, usedBytes: space.totalBytes - left, usableBytes: left }
  }

  private alive(path: string): Disk {
    enter(this.parts, undefined, path)
    return this.parts.base
  }

  private named(path: string): Disk {
    enter(this.parts, 'names', path)
    return this.parts.base
  }
}

class KitFile implements DiskFile {
  readonly path: string
  private readonly file: DiskFile
  private readonly parts: KitDiskParts

  constructor(file: DiskFile, parts: KitDiskParts) {
    this.file = file
    this.path = file.path
    this.parts = parts
  }

  writeSync(bytes: Uint8Array, start: number, end: number, position: number): void {
    const room = this.room(end - start)
    this.file.writeSync(bytes, start, start + room, position)
    this.taken(room, end - start)
  }

  async write(bytes: Uint8Array, start: number, end: number, position: number): Promise<void> {
    const room = this.room(end - start)
    await this.parts.quiet.during(() => this.file.write(bytes, start, start + room, position))
    this.taken(room, end - start)
  }

  readSync(into: Uint8Array, at: number, length: number, position: number): number {
    enter(this.parts, 'read', this.path)
    return this.file.readSync(into, at, length, position)
  }

  read(into: Uint8Array, at: number, length: number, position: number): Promise<number> {
    return this.parts.quiet.during(async () => {
      enter(this.parts, 'read', this.path)
      return this.file.read(into, at, length, position)
    })
  }

  async syncData(): Promise<void> {
    await slowly(this.parts, this.path)
    enter(this.parts, 'sync', this.path)
    await this.parts.quiet.during(() => this.file.syncData())
  }

  syncDataSync(): void {
    enter(this.parts, 'sync', this.path)
    this.file.syncDataSync()
  }

  truncateSync(size: number): void {
    enter(this.parts, 'truncate', this.path)
    this.file.truncateSync(size)
  }

  size(): number {
    enter(this.parts, undefined, this.path)
    return this.file.size()
  }

  touch(atMs: number): void {
    enter(this.parts, undefined, this.path)
    this.file.touch(atMs)
  }

  closeSync(): void {
    this.file.closeSync()
  }

  /** How many of the bytes may be written. */
  private room(wanted: number): number {
    enter(this.parts, 'write', this.path)
    return Math.min(wanted, this.parts.faults.bytesUntilFull)
  }

  private taken(room: number, wanted: number): void {
    this.parts.faults.bytesUntilFull -= room
    if (room < wanted) throw new DiskError(room > 0 ? 'ESHORTWRITE' : 'ENOSPC', this.path)
  }
}

function enter({ life, faults }: KitDiskParts, call: DiskCall | undefined, path: string): void {
  if (!life.alive) throw new DiskError('EDEAD', path)
  const code = call && faults.codeFor(call, path)
  if (code !== undefined) throw new DiskError(code, path)
}

/** What waits when its broker is killed waits for ever. */
function slowly({ faults, clock, life }: KitDiskParts, path: string): Promise<void> | undefined {
  const ms = faults.delayOf('sync', path)
  if (ms === 0) return undefined
  return new Promise(resolve => {
    clock.after(ms, () => {
      if (life.alive) resolve()
    })
  })
}
