const units = [
  ['d', 86_400_000],
  ['h', 3_600_000],
  ['m', 60_000],
  ['s', 1000],
] as const

/** How long it lasts until something comes, in its two largest units: `3d 4h`, `59s`, `now`. */
export function waitText(ms: number): string {
  if (ms < 1000) return 'now'
  const first = units.findIndex(([, unit]) => ms >= unit)
  const [name, unit] = units[first]!
  const [nextName, nextUnit] = units[first + 1] ?? ['', 0]
  const rest = nextUnit === 0 ? 0 : Math.floor((ms % unit) / nextUnit)
  return `${Math.floor(ms / unit)}${name}${rest === 0 ? '' : ` ${rest}${nextName}`}`
}
