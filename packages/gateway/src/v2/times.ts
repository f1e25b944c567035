/** Seconds and a part of one, as the protocol has times and durations. */
interface Seconds {
  readonly seconds?: number
  readonly nanos?: number
}

/** Milliseconds; of a part of one what is whole. */
export const msOf = ({ seconds = 0, nanos = 0 }: Seconds): number => seconds * 1000 + Math.trunc(nanos / 1_000_000)

/** A time or a duration of milliseconds. */
export function secondsOf(ms: number): { seconds: number; nanos: number } {
  const seconds = Math.floor(ms / 1000)
  return { seconds, nanos: Math.round((ms - seconds * 1000) * 1_000_000) }
}
