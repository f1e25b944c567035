/** How many questions are on their way at once: hundreds of groups must not be asked for in one burst. */
const atOnce = 16

/** The results in the order of the items; a failure of one fails all. */
export async function each<T, R>(items: readonly T[], ask: (item: T) => Promise<R>): Promise<R[]> {
  const results = new Array<R>(items.length)
  let next = 0
  const work = async () => {
    while (next < items.length) {
      const at = next++
      results[at] = await ask(items[at]!)
    }
  }
  await Promise.all(Array.from({ length: Math.min(atOnce, items.length) }, work))
  return results
}

/** By UTF-16 units, as Java sorts. */
export const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)
