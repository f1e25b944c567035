import type { MessageStore, RecordPlace } from '@skua-mq/store'

export interface PartingParts {
  readonly store: Pick<MessageStore, 'landmarks'>
  /** Where the master's log begins and ends. */
  readonly master: { readonly minOffset: number; readonly maxOffset: number }
  /** Whether the master has the record as it is here. */
  readonly hasSame: (record: RecordPlace) => Promise<boolean>
}

/**
 * Where the log here and that of the master part: behind the last record that both have. Where one record is the same all
 * before it is, so halving finds it, first among the files, then among the records of one. Answers undefined where the
 * master cannot tell, since it has none of what is here: where the log here ends before the master's begins.
 */
export async function findParting({ store, master, hasSame }: PartingParts): Promise<number | undefined> {
  const { files } = store.landmarks
  const isShared = async (record: RecordPlace | undefined) =>
    record !== undefined &&
    record.begin >= master.minOffset &&
    record.end <= master.maxOffset &&
    (await hasSame(record))
  const inReach = files.filter(base => base >= master.minOffset)
  const first = async (base: number) => (await store.landmarks.records(base))[0]
  const shared = await lastThat(inReach, async base => isShared(await first(base)))
  if (shared === undefined) return inReach.length === files.length ? files[0] : undefined
  const records = await store.landmarks.records(shared)
  return (await lastThat(records, isShared))?.end
}

/** The last one that passes, where all before one that passes do. */
async function lastThat<T>(all: readonly T[], passes: (each: T) => Promise<boolean>): Promise<T | undefined> {
  let [low, high] = [0, all.length]
  while (low < high) {
    const middle = (low + high) >> 1
    if (await passes(all[middle]!)) low = middle + 1
    else high = middle
  }
  return all[low - 1]
}
