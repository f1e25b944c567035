import type { Target, TargetOptions } from './target.ts'

/** What hostile, careless or unlucky peers do to a server. */
export interface AbuseCase extends TargetOptions {
  readonly name: string
  /** What the server must hold before: messages, topics. */
  readonly prepare?: (target: Target) => Promise<void>
  /** One round; it is repeated until the time of the case is over. */
  readonly abuse: (target: Target) => Promise<void>
  /** How much more memory the server may take than before. */
  readonly mostGrowthMiB: number
}

export const pause = (ms: number): Promise<void> => new Promise(resolve => setTimeout(resolve, ms))
