/** The number that commands of ours carry, but for servers in another dialect: that of 4.9.8 (architecture: two dialects). */
export const skuaVersion = 409

/** Numbers at which somebody decides something (remoting.md 3.2). A request is compared with `>=`. */
export const VersionThreshold = {
  /** Brokers push 220 and 221 only to clients from here on (3.0.7-SNAPSHOT). */
  resetOffsetPush: 28,
  /** The register body holds more than the topic wrapper (3.0.11). */
  fullRegisterBody: 37,
  /** 307 and 309 are forwarded only to clients from here on (3.1.8-SNAPSHOT). */
  runningInfo: 62,
  /** The client's maxReconsumeTimes counts (3.4.9). */
  maxReconsumeTimes: 121,
  /** Java consumers need a broker from here on for subscriptions other than by tag (4.1.0-SNAPSHOT). */
  filterExpression: 232,
  /** Routes are written as strict JSON from here on (4.9.4). */
  strictRouteJson: 401,
  /** Compressed register bodies carry the static-topic part (5.0.0). */
  staticTopicRegistration: 413,
  /** Routes carry enableActingMaster for whoever asks from here on (5.0.0; dialect: routeHasActingMaster). */
  actingMaster: 413,
} as const

/** The last number whose holder leaves `_UNIQUE_KEY_QUERY` out of the signature (4.9.3; admin.md 7.2). */
export const lastVersionWithUnsignedUniqueKeyQuery = 399

/** Runs of releases: the number of the first SNAPSHOT, and which releases follow, two numbers each. */
const runs: readonly { first: number; line: string; from: number; to: number }[] = [
  { first: 28, line: '3_0', from: 7, to: 15 },
  { first: 46, line: '3_1', from: 0, to: 9 },
  { first: 66, line: '3_2', from: 0, to: 9 },
  ...[3, 4, 5, 6, 7, 8, 9].map((minor, i) => ({ first: 86 + 18 * i, line: `3_${minor}`, from: 1, to: 9 })),
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((minor, i) => ({ first: 212 + 20 * i, line: `4_${minor}`, from: 0, to: 9 })),
  ...[0, 1, 2, 3, 4, 5, 6, 7, 8, 9].map((minor, i) => ({ first: 412 + 20 * i, line: `5_${minor}`, from: 0, to: 9 })),
]

/**
 * The name of a version number as Java's tools show it, e.g. 409 is V4_9_8. Each release took two numbers, SNAPSHOT
 * then final; the anchors of remoting.md 3.2 fix the runs. Undefined below 28, which the page does not cover.
 */
export function versionName(version: number): string | undefined {
  if (version < 28) return undefined
  for (const { first, line, from, to } of runs) {
    const patch = from + Math.floor((version - first) / 2)
    if (version >= first && patch <= to) return `V${line}_${patch}${(version - first) % 2 === 0 ? '_SNAPSHOT' : ''}`
  }
  return 'HIGHER_VERSION'
}
