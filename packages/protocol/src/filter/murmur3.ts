const mask = 0xffff_ffff_ffff_ffffn
const c1 = 0x87c37b91114253d5n
const c2 = 0x4cf5ad432745937fn

/**
 * First 64 bits of murmur3 x64 128 with seed 0, as two signed 32-bit halves, the low one first. In BigInt, since it runs once
 * per subscription and not per message.
 */
export function murmur3(bytes: Buffer): readonly [low: number, high: number] {
  let h1 = 0n
  let h2 = 0n
  let at = 0
  for (; at + 16 <= bytes.length; at += 16) {
    h1 ^= mix1(bytes.readBigUInt64LE(at))
    h1 = multiplyAdd(rotate(h1, 27n) + h2, 0x52dce729n)
    h2 ^= mix2(bytes.readBigUInt64LE(at + 8))
    h2 = multiplyAdd(rotate(h2, 31n) + h1, 0x38495ab5n)
  }
  const tail = Buffer.alloc(16)
  bytes.copy(tail, 0, at)
  h1 ^= mix1(tail.readBigUInt64LE(0))
  h2 ^= mix2(tail.readBigUInt64LE(8))
  const length = BigInt(bytes.length)
  h1 ^= length
  h2 ^= length
  h1 = (h1 + h2) & mask
  h2 = (h2 + h1) & mask
  h1 = (finish(h1) + finish(h2)) & mask
  return [Number(BigInt.asIntN(32, h1)), Number(BigInt.asIntN(32, h1 >> 32n))]
}

function multiplyAdd(sum: bigint, constant: bigint): bigint {
  return ((sum & mask) * 5n + constant) & mask
}

function mix1(k: bigint): bigint {
  return (rotate((k * c1) & mask, 31n) * c2) & mask
}

function mix2(k: bigint): bigint {
  return (rotate((k * c2) & mask, 33n) * c1) & mask
}

function rotate(value: bigint, by: bigint): bigint {
  return ((value << by) | (value >> (64n - by))) & mask
}

function finish(value: bigint): bigint {
  let k = ((value ^ (value >> 33n)) * 0xff51afd7ed558ccdn) & mask
  k = ((k ^ (k >> 33n)) * 0xc4ceb9fe1a85ec53n) & mask
  return k ^ (k >> 33n)
}
