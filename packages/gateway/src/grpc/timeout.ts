const unitMs: Readonly<Record<string, number>> = { H: 3_600_000, M: 60_000, S: 1000, m: 1, u: 0.001, n: 0.000_001 }

/** Milliseconds of the header grpc-timeout; undefined where there is none, or one that nobody can read. */
export function timeoutOf(header: string | undefined): number | undefined {
  const found = /^(\d{1,8})([HMSmun])$/.exec(header ?? '')
  return found === null ? undefined : Number(found[1]) * unitMs[found[2] as string]!
}
