export interface BacklogRules {
  readonly skipBacklogOlderThanMs: number | undefined
  readonly skipBacklogBeyond: number | undefined
}

/** What a pull showed of a queue. */
export interface BacklogView {
  /** Of the first pulled message, ms since 1970. */
  readonly storedAtMs: number
  readonly queueOffset: number
  readonly maxOffset: number
  readonly nowMs: number
}

export type BacklogSkip =
  | { readonly why: 'count'; readonly to: number }
  | { readonly why: 'age'; readonly sinceMs: number }

/** Whether, and how far, a backlog is to be skipped; undefined where it is to be consumed. */
export function backlogSkip(view: BacklogView, rules: BacklogRules): BacklogSkip | undefined {
  const { skipBacklogBeyond: beyond, skipBacklogOlderThanMs: age } = rules
  if (beyond !== undefined && view.maxOffset - view.queueOffset > beyond) {
    return { why: 'count', to: view.maxOffset - beyond }
  }
  if (age !== undefined && view.storedAtMs < view.nowMs - age) return { why: 'age', sinceMs: view.nowMs - age }
  return undefined
}
