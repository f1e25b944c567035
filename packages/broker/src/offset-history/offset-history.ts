import type { Clock } from '@skua-mq/runtime'
import type { OffsetMove } from '../offset/offset-table.ts'
import { PeriodicSave } from '../persist/periodic-save.ts'
import type { TableFile } from '../persist/table-file.ts'
import { lineOf, readableMoves } from './history-file.ts'

/** Moves that are kept in all, and of one group; and their bytes in the file. */
export const maxMoves = 10_000
export const maxMovesOfGroup = 2000
export const maxHistoryBytes = 2 * 1024 * 1024
/** What is moved is written so much later, at the latest. */
export const historyIntervalMs = 2000

export interface OffsetHistoryParts {
  readonly clock: Clock
  readonly file: TableFile<Iterable<OffsetMove>>
}

interface Kept {
  readonly move: OffsetMove
  readonly bytes: number
}

/**
 * Who moved offsets, and from where: resets, commits of tools, commits backwards, clones, deletions. Never the progress of
 * consumers. Where there is too much, the group whose offsets were moved longest ago is forgotten first. Kept in
 * config/skua.offsetHistory.jsonl, which nobody who moves an offset waits for.
 */
export class OffsetHistory {
  private readonly parts: OffsetHistoryParts
  /** By group, the one that was moved last at the end; moves oldest first. */
  private readonly groups = new Map<string, Kept[]>()
  private count = 0
  private bytes = 0
  private readonly saves: PeriodicSave<Iterable<OffsetMove>>

  constructor(parts: OffsetHistoryParts) {
    this.parts = parts
    const { clock, file } = parts
    this.saves = new PeriodicSave({ clock, file, intervalMs: () => historyIntervalMs, value: () => this.all() })
  }

  /** No broker stays down for its history: of a damaged file the lines that read are kept. */
  load(): void {
    for (const move of this.parts.file.loadDerived(readableMoves) ?? []) this.enter(move)
  }

  start(): void {
    this.saves.start()
  }

  /** The last save is a blocking one and overtakes one that is under way. */
  stop(): void {
    this.saves.stop()
  }

  /** On disk when it returns, or an event says why not. */
  save(): void {
    this.saves.save()
  }

  add(move: OffsetMove): void {
    this.enter(move)
    this.saves.changed()
  }

  private enter(move: OffsetMove): void {
    const kept = { move, bytes: Buffer.byteLength(lineOf(move)) }
    const moves = this.groups.get(move.group) ?? []
    // Whose turn it was last is forgotten last.
    this.groups.delete(move.group)
    this.groups.set(move.group, moves)
    moves.push(kept)
    this.count++
    this.bytes += kept.bytes
    if (moves.length > maxMovesOfGroup) this.dropOldest(move.group, moves)
    while (this.count > maxMoves || this.bytes > maxHistoryBytes) {
      const [group, oldest] = this.groups.entries().next().value!
      this.dropOldest(group, oldest)
    }
  }

  private dropOldest(group: string, moves: Kept[]): void {
    this.bytes -= moves.shift()!.bytes
    this.count--
    if (moves.length === 0) this.groups.delete(group)
  }

  /** The last moves of a group, oldest first; of one topic, or of all. */
  of(group: string, { topic, limit }: { readonly topic?: string | undefined; readonly limit: number }): OffsetMove[] {
    const moves = (this.groups.get(group) ?? []).map(({ move }) => move)
    const wanted = topic === undefined || topic === '' ? moves : moves.filter(move => move.topic === topic)
    return limit <= 0 ? [] : wanted.slice(-limit)
  }

  /** As the file has them. */
  private *all(): Generator<OffsetMove> {
    for (const moves of [...this.groups.values()]) for (const { move } of [...moves]) yield move
  }
}
