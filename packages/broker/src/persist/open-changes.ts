/** A change of one entry of a table that counts in memory and is not on disk yet; `value` undefined takes the entry out. */
export interface OpenChange<V> {
  readonly key: string
  readonly value: V | undefined
}

/** Of one entry. */
interface Open<V> {
  /** What the entry is without any of the changes. */
  settled: V | undefined
  /** In their order; never empty. */
  readonly changes: OpenChange<V>[]
}

/**
 * Changes that are answered when they are on disk. One that cannot be brought there is not taken, and several of the same entry may be on
 * their way: each of them that is refused leaves what those make of it that are not.
 */
export class OpenChanges<V> {
  private readonly byKey = new Map<string, Open<V>>()

  /** An entry that is `before` becomes `value`. Followed by `saved` or `refused`. */
  begin(
    key: string,
    { before, value }: { readonly before: V | undefined; readonly value: V | undefined },
  ): OpenChange<V> {
    const change = { key, value }
    const open = this.byKey.get(key)
    if (open === undefined) this.byKey.set(key, { settled: before, changes: [change] })
    else open.changes.push(change)
    return change
  }

  /** It is on disk. */
  saved(change: OpenChange<V>): void {
    const open = this.byKey.get(change.key)
    if (open !== undefined && this.end(open, change)) open.settled = change.value
  }

  /**
   * It is not taken: returns what the entry has to be, which is `now` at the moment. An entry that was taken out and came by itself
   * meanwhile is what it was before.
   */
  refused(change: OpenChange<V>, now: V | undefined): V | undefined {
    const open = this.byKey.get(change.key)
    if (open === undefined) return now
    const isLast = open.changes.at(-1) === change
    if (!this.end(open, change) || !isLast) return now
    const isAsLeft = now === change.value || change.value === undefined
    const last = open.changes.at(-1)
    return isAsLeft ? (last === undefined ? open.settled : last.value) : now
  }

  /** The table has become another: no change goes back any more. */
  forget(): void {
    this.byKey.clear()
  }

  private end(open: Open<V>, change: OpenChange<V>): boolean {
    const at = open.changes.indexOf(change)
    if (at < 0) return false
    open.changes.splice(at, 1)
    if (open.changes.length === 0) this.byKey.delete(change.key)
    return true
  }
}
