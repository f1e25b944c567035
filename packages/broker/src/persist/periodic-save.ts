import { type Clock, every, type Timer } from '@skua-mq/runtime'
import type { TableFile } from './table-file.ts'

export interface PeriodicSaveParts<T> {
  readonly clock: Clock
  readonly file: TableFile<T>
  readonly intervalMs: () => number
  /** What is written. */
  readonly value: () => T
}

/** Writes a table at intervals when something changed, and at a stop. */
export class PeriodicSave<T> {
  private readonly parts: PeriodicSaveParts<T>
  private dirty = false
  private saving = false
  private timer: Timer | undefined

  constructor(parts: PeriodicSaveParts<T>) {
    this.parts = parts
  }

  changed(): void {
    this.dirty = true
  }

  start(): void {
    this.timer = every(this.parts.clock, this.parts.intervalMs(), () => this.saveIfDirty())
  }

  /** The last save is a blocking one and overtakes one that is under way. */
  stop(): void {
    this.timer?.cancel()
    this.save()
  }

  /** On disk when it returns, or an event says why not. */
  save(): void {
    if (this.dirty || this.saving) this.dirty = !this.parts.file.saveAtStop(this.parts.value())
  }

  private async saveIfDirty(): Promise<void> {
    if (!this.dirty || this.saving) return
    // What changes while the file is written makes it dirty again.
    this.dirty = false
    this.saving = true
    if (!(await this.parts.file.saveLater(this.parts.value()))) this.dirty = true
    this.saving = false
  }
}
