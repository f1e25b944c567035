/** What is sent. A body of another type than text or bytes needs the producer's `codec`. */
export interface Message<T = string | Uint8Array> {
  readonly topic: string
  /** Not empty. */
  readonly body: T
  /** Consumers select by it. */
  readonly tag?: string | undefined
  /** Tools find the message by them; no blanks inside. */
  readonly keys?: string | readonly string[] | undefined
  /** Names with a meaning in RocketMQ, empty names and empty values are refused. */
  readonly properties?: Readonly<Record<string, string>> | undefined
  /** 1 to 18: 1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h. */
  readonly delayLevel?: number | undefined
  /** Delivered so many milliseconds after the send; 5.x brokers and Skua. */
  readonly delayMs?: number | undefined
  /** Delivered at this time, ms since 1970; as `delayMs`. */
  readonly deliverAtMs?: number | undefined
  /** 32 bits of yours. */
  readonly flag?: number | undefined
  /** Whether the broker waits for disk and slave as it is configured. Default true. */
  readonly waitStoreMsgOk?: boolean | undefined
  /** Seconds until the broker may ask about a half message for the first time. */
  readonly checkImmunityTimeInSeconds?: number | undefined
}

/** Bytes of a body and back. */
export interface BodyCodec<T> {
  encode(value: T): Uint8Array | Promise<Uint8Array>
  decode(body: Uint8Array): T | Promise<T>
}
