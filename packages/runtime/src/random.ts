/** Randomness as it is passed in; the seeded version (`SimRandom`) repeats a run. */
export interface Random {
  /** An integer in [0, below). */
  int(below: number): number
  /** A number in [0, 1). */
  fraction(): number
  bytes(count: number): Uint8Array
  uuid(): string
}
