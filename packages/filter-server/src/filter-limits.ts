export interface ScriptLimits {
  /** Longest run of one call, and of the text itself when it is registered, in ms. */
  readonly callTimeoutMs: number
  /** Memory of one filter in bytes. */
  readonly memoryBytes: number
}

/** What the second argument of `match` says. */
export interface FilterContext {
  readonly consumerGroup: string
  readonly topic: string
  readonly className: string
}

/** The text is no filter; the message says what is wanted instead. */
export class NoFilter extends Error {}

/** A filter threw, ran too long or took too much memory; the message names the setting where there is one. */
export class FilterFailed extends Error {
  /** It was stopped at a limit: running it again would cost as much again. */
  readonly atLimit: boolean

  constructor(message: string, { atLimit }: { atLimit: boolean }) {
    super(message)
    this.atLimit = atLimit
  }
}
