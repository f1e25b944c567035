import type { Random } from '../random.ts'

/** Random numbers that repeat: the same seed gives the same sequence on every machine (sfc32). Never for secrets. */
export class SimRandom implements Random {
  readonly seed: number
  private a: number
  private b: number
  private c: number
  private counter = 1

  constructor(seed: number) {
    this.seed = seed
    this.a = seed | 0
    this.b = Math.floor(seed / 2 ** 32) | 0
    this.c = 0x9e3779b9 | 0
    // The first numbers of close seeds resemble each other; sfc32 has mixed them after a dozen rounds.
    for (let i = 0; i < 16; i++) this.next()
  }

  int(below: number): number {
    if (!Number.isSafeInteger(below) || below <= 0) throw new RangeError(`no integer in [0, ${below})`)
    return Math.floor(this.fraction() * below)
  }

  fraction(): number {
    return ((this.next() >>> 5) * 2 ** 26 + (this.next() >>> 6)) / 2 ** 53
  }

  bytes(count: number): Uint8Array {
    const bytes = new Uint8Array(count)
    for (let i = 0; i < count; i++) bytes[i] = this.next() & 255
    return bytes
  }

  uuid(): string {
    const bytes = this.bytes(16)
    bytes[6] = (bytes[6]! & 0x0f) | 0x40
    bytes[8] = (bytes[8]! & 0x3f) | 0x80
    const hex = Buffer.from(bytes.buffer).toString('hex')
    return [hex.slice(0, 8), hex.slice(8, 12), hex.slice(12, 16), hex.slice(16, 20), hex.slice(20)].join('-')
  }

  /** True with this probability. */
  chance(probability: number): boolean {
    return this.fraction() < probability
  }

  /** An own sequence for another part, so that how much one part draws does not move the other. */
  fork(): SimRandom {
    return new SimRandom((this.next() >>> 0) * 2 ** 21 + (this.next() >>> 11))
  }

  private next(): number {
    const sum = (((this.a + this.b) | 0) + this.counter) | 0
    this.counter = (this.counter + 1) | 0
    this.a = this.b ^ (this.b >>> 9)
    this.b = (this.c + (this.c << 3)) | 0
    this.c = (((this.c << 21) | (this.c >>> 11)) + sum) | 0
    return sum
  }
}
