import type { CommitLog } from '../commit-log/commit-log.ts'
import type { Dispatch } from '../dispatch.ts'
import type { IndexFiles } from '../index-file/index-files.ts'
import { scanLog } from './log-scan.ts'

interface GapParts {
  readonly log: CommitLog
  readonly index: IndexFiles | undefined
  readonly dispatch: Dispatch
}

/**
 * Java's recovery may leave messages out of the index, between two of its files (store.md 4.5): what comes behind such a
 * gap is discarded, to be indexed anew. Looks only at the log between the files, which is nothing where none is missing.
 */
export async function dropIndexBehindGap(parts: GapParts): Promise<void> {
  const { index, log } = parts
  let from = log.minOffset
  for (const [at, { beginOffset, endOffset }] of (index?.ranges ?? []).entries()) {
    if (beginOffset > from && (await hasKeysBetween(parts, { from, to: beginOffset, isFirst: at === 0 }))) {
      index?.discardFrom(at)
      return
    }
    from = Math.max(from, endOffset)
  }
}

/** Whether a message with keys lies in `[from, to)`; the one at `from` itself does not count unless `isFirst`. */
async function hasKeysBetween(
  { log, dispatch }: GapParts,
  { from, to, isFirst }: { from: number; to: number; isFirst: boolean },
): Promise<boolean> {
  let found = false
  await scanLog(log.segments, from, {
    checkCrc: false,
    trustedTo: 0,
    mayHaveHoles: false,
    skipped: () => {},
    visit: view => {
      if (view.physicalOffset >= to) return false
      if (isFirst || view.physicalOffset > from) found ||= dispatch.hasKeys(view)
      return !found
    },
  })
  return found
}
