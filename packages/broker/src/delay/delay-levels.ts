/** Milliseconds per delay level, index 0 being level 1. Units s, m, h, d; an entry that is none of these counts as 1 s. */
export function parseDelayLevels(text: string): number[] {
  const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  return text
    .trim()
    .split(/\s+/)
    .map(level => {
      const unit = units[level.at(-1) ?? '']
      const count = Number.parseInt(level, 10)
      return unit === undefined || Number.isNaN(count) ? 1000 : count * unit
    })
}
