/** Edits between two words: insertions, removals, replacements and swaps of neighbours; upper and lower case count as equal. */
export function editDistance(a: string, b: string): number {
  const from = a.toLowerCase()
  const to = b.toLowerCase()
  let former: number[] = []
  let row = Array.from({ length: to.length + 1 }, (_, i) => i)
  for (let i = 1; i <= from.length; i++) {
    const next = [i]
    for (let j = 1; j <= to.length; j++) {
      const same = from[i - 1] === to[j - 1]
      let best = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + (same ? 0 : 1))
      const swapped = i > 1 && j > 1 && from[i - 1] === to[j - 2] && from[i - 2] === to[j - 1]
      if (swapped) best = Math.min(best, former[j - 2]! + 1)
      next.push(best)
    }
    former = row
    row = next
  }
  return row[to.length]!
}

/** The end of a sentence about a word that is not known: `; did you mean …?`, or nothing where no candidate is near. */
export function didYouMean(word: string, candidates: Iterable<string>): string {
  const near = nearest(word, candidates)
  return near === undefined ? '' : `; did you mean ${near}?`
}

/** The candidate a mistyped word probably meant: the closest within a third of the word's length; undefined when none is. */
export function nearest(word: string, candidates: Iterable<string>): string | undefined {
  const limit = Math.max(1, Math.floor(word.length / 3))
  let found: string | undefined
  let foundDistance = limit + 1
  for (const candidate of candidates) {
    if (Math.abs(candidate.length - word.length) >= foundDistance) continue
    const distance = editDistance(word, candidate)
    if (distance >= foundDistance) continue
    found = candidate
    foundDistance = distance
  }
  return found
}
