import { murmur3 } from './murmur3.ts'

/** What a bloom filter of the consume queue extension is made of (store.md 9.2). */
export interface BloomParameters {
  /** Bits, a multiple of 8. */
  readonly bits: number
  /** Positions per key. */
  readonly hashes: number
}

/**
 * Parameters for `keys` expected keys at an error rate in whole percent: 20 and 32 are RocketMQ's defaults. Throws
 * RangeError on rates outside of 1 to 99 and on less than one key.
 */
export function bloomParameters({ errorPercent, keys }: { errorPercent: number; keys: number }): BloomParameters {
  if (!(errorPercent >= 1 && errorPercent < 100))
    throw new RangeError(`an error rate of ${errorPercent} % is not possible: 1 to 99 are`)
  if (!(keys >= 1)) throw new RangeError(`no bloom filter for ${keys} keys`)
  const rate = errorPercent / 100
  const log = (base: number, of: number) => Math.log(of) / Math.log(base)
  const wanted = Math.ceil(keys * log(2, 1 / rate) * log(2, Math.E))
  return { bits: 8 * Math.ceil(wanted / 8), hashes: Math.ceil(log(0.5, rate)) }
}

/** The positions of a key, `group#topic`; some of them may be equal. */
export function bloomPositions({ bits, hashes }: BloomParameters, key: string): number[] {
  const [low, high] = murmur3(Buffer.from(key))
  return Array.from({ length: hashes }, (_, i) => {
    const mixed = (low + Math.imul(i + 1, high)) | 0
    return (mixed < 0 ? ~mixed : mixed) % bits
  })
}

/** The key whose positions a consumer group has for a topic. */
export function bloomKey(group: string, topic: string): string {
  return `${group}#${topic}`
}

/** An empty bitmap. */
export function bloomBitmap({ bits }: BloomParameters): Uint8Array {
  return new Uint8Array(bits / 8)
}

/** Sets the bits of a key. */
export function bloomAdd(bitmap: Uint8Array, positions: readonly number[]): void {
  for (const position of positions) bitmap[position >> 3]! |= 1 << (position & 7)
}

/** Whether all bits of a key are set: the message may be for it. */
export function bloomHas(bitmap: Uint8Array, positions: readonly number[]): boolean {
  return positions.every(position => ((bitmap[position >> 3]! >> (position & 7)) & 1) === 1)
}
