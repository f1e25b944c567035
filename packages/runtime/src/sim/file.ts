import type { DiskFile } from '../disk.ts'
import { DiskError } from '../error.ts'
import type { MemoryFile } from '../memory/file.ts'
import type { DiskDelay, DiskFaults, FaultClock } from './disk-faults.ts'
import type { Unsynced } from './unsynced.ts'

/** Who has the file open. Once it is dead its calls fail and what it waits for never comes. */
export interface Life {
  alive: boolean
}

export interface SimFileParts {
  readonly file: MemoryFile
  readonly unsynced: Unsynced
  readonly faults: DiskFaults
  readonly clock: FaultClock
  readonly life: Life
}

/** An open file of a SimDisk. Without delays its asynchronous calls are done when they return. */
export class SimFile implements DiskFile {
  readonly path: string
  private readonly parts: SimFileParts

  constructor(parts: SimFileParts) {
    this.path = parts.file.path
    this.parts = parts
  }

  writeSync(bytes: Uint8Array, start: number, end: number, position: number): void {
    this.mustLive()
    this.block('write')
    this.put(bytes.subarray(start, end), position)
  }

  async write(bytes: Uint8Array, start: number, end: number, position: number): Promise<void> {
    this.mustLive()
    await this.wait('write')
    this.put(bytes.subarray(start, end), position)
  }

  readSync(into: Uint8Array, at: number, length: number, position: number): number {
    this.mustLive()
    this.block('read')
    this.mustWork('read', [position, position + length])
    return this.parts.file.readSync(into, at, length, position)
  }

  /** The bytes are those of its beginning, as those of a read in the pool may be: what is written meanwhile is not in them. */
  async read(into: Uint8Array, at: number, length: number, position: number): Promise<number> {
    this.mustLive()
    // A bad place is mostly one that the disk has tried for long.
    const code = this.parts.faults.codeFor('read', this.path, [position, position + length])
    const count = code === undefined ? this.parts.file.readSync(into, at, length, position) : 0
    await this.wait('read')
    if (code !== undefined) throw new DiskError(code, this.path)
    return count
  }

  async syncData(): Promise<void> {
    this.mustLive()
    const { mark } = this.parts.unsynced
    this.parts.file.syncDataSync()
    await this.wait('sync')
    this.finishSync(mark)
  }

  syncDataSync(): void {
    this.mustLive()
    this.parts.file.syncDataSync()
    this.block('sync')
    this.finishSync(this.parts.unsynced.mark)
  }

  truncateSync(size: number): void {
    this.mustLive()
    this.mustWork('truncate')
    this.parts.file.truncateSync(size)
    this.parts.unsynced.truncated(size)
  }

  size(): number {
    this.mustLive()
    return this.parts.file.size()
  }

  touch(atMs: number): void {
    this.mustLive()
    this.parts.file.touch(atMs)
  }

  closeSync(): void {
    this.parts.file.closeSync()
  }

  private put(bytes: Uint8Array, position: number): void {
    const { faults } = this.parts
    const code = faults.codeFor('write', this.path)
    const half = Math.floor(bytes.length / 2)
    if (code === 'ESHORTWRITE') this.store(bytes.subarray(0, half), position)
    if (code !== undefined) throw new DiskError(code, this.path)
    const room = faults.bytesUntilFull
    if (bytes.length > room) {
      this.store(bytes.subarray(0, room), position)
      throw new DiskError(room > 0 ? 'ESHORTWRITE' : 'ENOSPC', this.path)
    }
    this.store(bytes, position)
  }

  private store(bytes: Uint8Array, position: number): void {
    this.parts.file.writeSync(bytes, 0, bytes.length, position)
    this.parts.faults.bytesUntilFull -= bytes.length
    if (bytes.length > 0) this.parts.unsynced.wrote(position, bytes)
  }

  private finishSync(mark: number): void {
    const code = this.parts.faults.codeFor('sync', this.path)
    if (code === undefined) {
      this.parts.unsynced.synced(mark)
      return
    }
    this.parts.unsynced.failed(mark)
    throw new DiskError(code, this.path)
  }

  private mustLive(): void {
    if (!this.parts.life.alive) throw new DiskError('EDEAD', this.path)
  }

  private mustWork(on: 'read' | 'truncate', bytes?: readonly [number, number]): void {
    const code = this.parts.faults.codeFor(on, this.path, bytes)
    if (code !== undefined) throw new DiskError(code, this.path)
  }

  private block(on: DiskDelay['on']): void {
    const ms = this.parts.faults.delayOf(on, this.path)
    if (ms > 0) this.parts.clock.block(ms)
  }

  private wait(on: DiskDelay['on']): Promise<void> | undefined {
    const ms = this.parts.faults.delayOf(on, this.path)
    if (ms === 0) return undefined
    return new Promise(resolve => {
      this.parts.clock.after(ms, () => {
        if (this.parts.life.alive) resolve()
      })
    })
  }
}
