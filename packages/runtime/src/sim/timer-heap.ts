/** What stands in a heap by its time; of one time, what was put there first comes first. */
export interface Queued {
  readonly dueAt: number
  readonly order: number
}

const before = (a: Queued, b: Queued) => (a.dueAt === b.dueAt ? a.order < b.order : a.dueAt < b.dueAt)

/** A binary heap: a simulated cluster arms a timer per packet. */
export function pushTimer<T extends Queued>(heap: T[], timer: T): void {
  let at = heap.length
  heap.push(timer)
  while (at > 0) {
    const parent = (at - 1) >> 1
    if (!before(timer, heap[parent]!)) break
    heap[at] = heap[parent]!
    at = parent
  }
  heap[at] = timer
}

export function popTimer<T extends Queued>(heap: T[]): void {
  const last = heap.pop()!
  if (heap.length === 0) return
  let at = 0
  for (;;) {
    let child = at * 2 + 1
    if (child >= heap.length) break
    if (child + 1 < heap.length && before(heap[child + 1]!, heap[child]!)) child++
    if (!before(heap[child]!, last)) break
    heap[at] = heap[child]!
    at = child
  }
  heap[at] = last
}
