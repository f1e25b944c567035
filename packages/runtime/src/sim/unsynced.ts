import type { Pages } from '../memory/pages.ts'
import type { FileNode } from '../memory/tree.ts'
import type { SimRandom } from './random.ts'

/** The unit that a disk writes whole or not at all. */
export const sectorBytes = 512

interface Write {
  readonly kind: 'write'
  readonly order: number
  readonly position: number
  readonly bytes: Uint8Array
}

interface Truncate {
  readonly kind: 'truncate'
  readonly order: number
  readonly size: number
}

type Change = Write | Truncate

/**
 * What of one file is on the medium, and the changes since that are in the page cache only. A sync that fails abandons
 * its writes as Linux does: they stay readable, and later syncs that succeed do not bring them to the medium.
 */
export class Unsynced {
  private medium: Pages
  private pending: Change[] = []
  /** Pieces of single sectors whose sync failed. */
  private abandoned: Write[] = []
  private order = 0

  constructor(node: FileNode) {
    this.medium = node.pages.clone()
  }

  /** Everything noted before has a smaller number. */
  get mark(): number {
    return this.order
  }

  get clean(): boolean {
    return this.pending.length === 0 && this.abandoned.length === 0
  }

  wrote(position: number, bytes: Uint8Array): void {
    this.pending.push({ kind: 'write', order: this.order++, position, bytes: new Uint8Array(bytes) })
  }

  truncated(size: number): void {
    this.pending.push({ kind: 'truncate', order: this.order++, size })
  }

  /** A sync that began at `mark` has succeeded. */
  synced(mark: number): void {
    const done = this.pending.filter(change => change.order < mark)
    if (done.length === 0) return
    this.pending = this.pending.filter(change => change.order >= mark)
    const rewritten = new Set(done.flatMap(change => (change.kind === 'write' ? sectorsOf(change) : [])))
    // A sector goes out as the cache has it, so a fresh write in it takes abandoned neighbours along.
    const taken = this.abandoned.filter(piece => rewritten.has(sectorsOf(piece)[0]!))
    this.abandoned = this.abandoned.filter(piece => !taken.includes(piece))
    for (const change of [...taken, ...done].sort((a, b) => a.order - b.order)) apply(this.medium, change)
  }

  /** A sync that began at `mark` has failed. */
  failed(mark: number): void {
    const lost = this.pending.filter(change => change.order < mark && change.kind === 'write')
    this.pending = this.pending.filter(change => change.order >= mark || change.kind === 'truncate')
    for (const change of lost) if (change.kind === 'write') this.abandoned.push(...piecesOf(change))
  }

  /**
   * Power is lost: of each sector some version between the synced and the newest one is found, independent of the
   * other sectors; so is the size. Returns the bytes and forgets what was pending.
   */
  powerCut(random: SimRandom): Pages {
    const changes = [...this.abandoned, ...this.pending].sort((a, b) => a.order - b.order)
    const dice = random.int(5)
    if (dice === 0) this.keepAll(changes)
    else if (dice > 1) this.keepSome(changes, random)
    this.pending = []
    this.abandoned = []
    return this.medium.clone()
  }

  private keepAll(changes: readonly Change[]): void {
    for (const change of changes) apply(this.medium, change)
  }

  private keepSome(changes: readonly Change[], random: SimRandom): void {
    const touches = new Map<number, number>()
    const pieces = changes.flatMap<Change>(change => (change.kind === 'write' ? piecesOf(change) : [change]))
    for (const piece of pieces) {
      if (piece.kind === 'write') bump(touches, sectorsOf(piece)[0]!)
    }
    const kept = new Map<number, number>()
    for (const [sector, count] of touches) kept.set(sector, random.int(count + 1))
    const sizeSteps = random.int(pieces.length + 1)
    const size = pieces.slice(0, sizeSteps).reduce(sizeAfter, this.medium.size)
    const lastOrder = pieces[sizeSteps - 1]?.order ?? -1
    for (const piece of pieces) {
      if (piece.kind === 'truncate') {
        if (piece.order <= lastOrder) apply(this.medium, piece)
        continue
      }
      const sector = sectorsOf(piece)[0]!
      const left = kept.get(sector)!
      if (left === 0) continue
      kept.set(sector, left - 1)
      apply(this.medium, piece)
    }
    this.medium.truncate(size)
  }
}

function apply(pages: Pages, change: Change): void {
  if (change.kind === 'write') pages.write(change.bytes, change.position)
  else pages.truncate(change.size)
}

function sizeAfter(size: number, change: Change): number {
  return change.kind === 'truncate' ? change.size : Math.max(size, change.position + change.bytes.length)
}

function sectorsOf({ position, bytes }: { position: number; bytes: Uint8Array }): number[] {
  const first = Math.floor(position / sectorBytes)
  const count = Math.ceil((position + bytes.length) / sectorBytes) - first
  return Array.from({ length: count }, (_, i) => first + i)
}

function piecesOf(change: Write): Write[] {
  const end = change.position + change.bytes.length
  return sectorsOf(change).map(sector => {
    const from = Math.max(change.position, sector * sectorBytes)
    const to = Math.min(end, (sector + 1) * sectorBytes)
    const bytes = change.bytes.subarray(from - change.position, to - change.position)
    return { kind: 'write', order: change.order, position: from, bytes }
  })
}

function bump(counts: Map<number, number>, key: number): void {
  counts.set(key, (counts.get(key) ?? 0) + 1)
}
