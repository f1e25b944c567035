const units: Readonly<Record<string, number>> = {
  ms: 1,
  s: 1000,
  m: 60_000,
  h: 3_600_000,
  d: 86_400_000,
  w: 604_800_000,
}

/** Milliseconds, or a text like `250ms`, `30s`, `1h30m`, `3d`. */
export type Duration = number | string

/** Throws RangeError for what is no duration. */
export function milliseconds(duration: Duration): number {
  if (typeof duration === 'number') {
    if (Number.isFinite(duration) && duration >= 0) return duration
    throw new RangeError(`${duration} is no duration: milliseconds from 0 on are wanted`)
  }
  if (typeof duration !== 'string') throw new RangeError(`${duration} is no duration: 250ms, 30s, 1h30m and 3d are`)
  const text = duration.replaceAll(/[\s_]/g, '')
  const parts = [...text.matchAll(/(\d+(?:\.\d+)?)(ms|s|m|h|d|w)/g)]
  if (parts.length === 0 || parts.map(([whole]) => whole).join('') !== text)
    throw new RangeError(`"${duration}" is no duration: 250ms, 30s, 1h30m and 3d are`)
  return parts.reduce((sum, [, count, unit]) => sum + Number(count) * units[unit as string]!, 0)
}
