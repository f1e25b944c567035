import { randomBytes, randomInt, randomUUID } from 'node:crypto'
import type { Random } from '../random.ts'

/** Randomness of the machine, good enough for secrets. */
export class NodeRandom implements Random {
  int(below: number): number {
    return randomInt(below)
  }

  /** 53 random bits. */
  fraction(): number {
    const bytes = randomBytes(7)
    return (bytes.readUIntBE(0, 6) * 32 + (bytes[6]! & 31)) / 2 ** 53
  }

  bytes(count: number): Uint8Array {
    return randomBytes(count)
  }

  uuid(): string {
    return randomUUID()
  }
}
