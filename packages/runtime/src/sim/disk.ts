import type { Disk, DiskFile, DiskSpace, FileStat, OpenMode } from '../disk.ts'
import { DiskError } from '../error.ts'
import { createFileAlone } from '../memory/create-file.ts'
import { MemoryDisk } from '../memory/disk.ts'
import { type FileNode, filesIn, lookup, namesOf } from '../memory/tree.ts'
import { type DiskCall, type DiskDelay, DiskFaults, type FaultClock } from './disk-faults.ts'
import { type Life, SimFile } from './file.ts'
import type { SimRandom } from './random.ts'
import { Unsynced } from './unsynced.ts'
import { UnsyncedNames } from './unsynced-names.ts'

/** What all views of one simulated disk share. */
interface Medium {
  readonly memory: MemoryDisk
  readonly names: UnsyncedNames
  readonly unsynced: WeakMap<FileNode, Unsynced>
  readonly faults: DiskFaults
  readonly clock: FaultClock
}

/**
 * A disk that knows what is written and what is synced. `powerCut` takes away what was not synced, by chance and in
 * sectors; `faults` makes calls fail, come short or take long. Names need `syncDirectory` to survive, as on a disk
 * that promises only what POSIX does.
 */
export class SimDisk implements Disk {
  private readonly medium: Medium
  private life: Life

  /** `view` is given by `forProcess` alone. */
  constructor(clock: FaultClock, options: { capacityBytes?: number } = {}, view?: { medium: Medium; life: Life }) {
    this.medium = view?.medium ?? newMedium(clock, options)
    this.life = view?.life ?? { alive: true }
  }

  get faults(): DiskFaults {
    return this.medium.faults
  }

  /** Files that were opened and not closed, of all processes. */
  get openFiles(): number {
    return this.medium.memory.openFiles
  }

  /** The same disk as one process sees it: dead when `life` is. */
  forProcess(life: Life): Disk {
    return new SimDisk(this.medium.clock, {}, { medium: this.medium, life })
  }

  /** Files that are open die with the machine: their calls fail with EDEAD, their syncs never come back. */
  powerCut(random: SimRandom): void {
    const { memory, names } = this.medium
    this.life.alive = false
    this.life = { alive: true }
    names.powerCut(memory.root, random)
    for (const node of filesIn(memory.root)) {
      const unsynced = this.medium.unsynced.get(node)
      if (unsynced && !unsynced.clean) node.pages = unsynced.powerCut(random)
    }
    memory.recount()
  }

  open(path: string, mode: OpenMode): DiskFile {
    this.enter('open', path)
    const file = this.medium.memory.openFile(path, mode)
    const { faults, clock } = this.medium
    return new SimFile({ file, unsynced: this.unsyncedOf(file.node), faults, clock, life: this.life })
  }

  stat(path: string): FileStat | undefined {
    this.enter(undefined, path)
    return this.medium.memory.stat(path)
  }

  list(path: string): readonly string[] {
    this.enter(undefined, path)
    return this.medium.memory.list(path)
  }

  makeDirectory(path: string): void {
    this.enter('names', path)
    this.medium.memory.makeDirectory(path)
  }

  remove(path: string): void {
    this.enter('names', path)
    this.medium.memory.remove(path)
  }

  rename(from: string, to: string): void {
    this.enter('names', from)
    this.medium.memory.rename(from, to)
  }

  readFile(path: string): Buffer {
    const file = this.open(path, 'read')
    try {
      const bytes = Buffer.alloc(file.size())
      file.readSync(bytes, 0, bytes.length, 0)
      return bytes
    } finally {
      file.closeSync()
    }
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
    return createFileAlone(this, path, bytes)
  }

  syncDirectory(path: string): void {
    this.enter('names', path)
    const { memory, names } = this.medium
    memory.syncDirectory(path)
    const node = lookup(memory.root, namesOf(path))
    if (node?.kind === 'directory') names.synced(node)
  }

  async syncDirectoryLater(path: string): Promise<void> {
    const { memory } = this.medium
    memory.syncDirectory(path)
    const opened = lookup(memory.root, namesOf(path))
    await this.slowly('sync', path)
    // What is removed meanwhile stays open, and has no names any more.
    if (lookup(memory.root, namesOf(path)) === opened) this.syncDirectory(path)
  }

  /** When `faults.bytesUntilFull` is set, that is what is left. */
  space(path: string): DiskSpace {
    this.enter(undefined, path)
    const { totalBytes, usedBytes, usableBytes } = this.medium.memory.space(path)
    if (this.faults.bytesUntilFull >= usableBytes) return { totalBytes, usedBytes, usableBytes }
    // Somebody else has taken the rest.
    const left = this.faults.bytesUntilFull
    return { totalBytes, usedBytes: totalBytes - left, usableBytes: left }
  }

  /** What waits when its process dies waits for ever. */
  private slowly(on: DiskDelay['on'], path: string): Promise<void> | undefined {
    const { life } = this
    const ms = this.faults.delayOf(on, path)
    if (ms === 0) return undefined
    return new Promise(resolve => this.medium.clock.after(ms, () => life.alive && resolve()))
  }

  private enter(call: DiskCall | undefined, path: string): void {
    if (!this.life.alive) throw new DiskError('EDEAD', path)
    const code = call && this.faults.codeFor(call, path)
    if (code !== undefined) throw new DiskError(code, path)
  }

  private unsyncedOf(node: FileNode): Unsynced {
    let unsynced = this.medium.unsynced.get(node)
    if (!unsynced) {
      unsynced = new Unsynced(node)
      this.medium.unsynced.set(node, unsynced)
    }
    return unsynced
  }
}

function newMedium(clock: FaultClock, options: { capacityBytes?: number }): Medium {
  const names = new UnsyncedNames()
  const memory = new MemoryDisk({ clock, ...options, onNames: changes => names.changed(changes) })
  return { memory, names, unsynced: new WeakMap(), faults: new DiskFaults(), clock }
}
