/** How much of a wrong value an error shows: remarks and log lines carry it, and a peer chooses its length. */
export const maxShownLength = 100

/** The beginning of a value, in quotes, for an error. */
export function shown(value: string): string {
  return value.length <= maxShownLength ? `"${value}"` : `"${value.slice(0, maxShownLength)}…" (${value.length} long)`
}
