/** Bits of a message's sysFlag (remoting.md 14.3). */
export const SysFlag = {
  compressed: 0x1,
  multiTags: 0x2,
  transactionMask: 0xc,
  bornHostV6: 0x10,
  storeHostV6: 0x20,
  needUnwrap: 0x40,
  innerBatch: 0x80,
  compressionMask: 0x700,
} as const

/** Transaction kinds, as they stand in bits 2 and 3. */
export const TransactionKind = { none: 0, prepared: 0x4, commit: 0x8, rollback: 0xc } as const
export type TransactionKind = (typeof TransactionKind)[keyof typeof TransactionKind]

/** Numbers of compression methods, as they stand in bits 8 to 10 after a shift. */
export const CompressionType = { lz4: 1, zstd: 2, zlib: 3 } as const

export function transactionKind(sysFlag: number): TransactionKind {
  return (sysFlag & SysFlag.transactionMask) as TransactionKind
}

export function withTransactionKind(sysFlag: number, kind: TransactionKind): number {
  return (sysFlag & ~SysFlag.transactionMask) | kind
}

/** Half messages and rollbacks are in the log only; everything else has an entry in a consume queue. */
export function hasQueueEntry(sysFlag: number): boolean {
  const kind = sysFlag & SysFlag.transactionMask
  return kind === TransactionKind.none || kind === TransactionKind.commit
}

export function isCompressed(sysFlag: number): boolean {
  return (sysFlag & SysFlag.compressed) !== 0
}

/**
 * The compression method's number: 1 LZ4, 2 zstd, 3 zlib; others are unknown. Old clients set none, and mean zlib.
 * Says nothing about whether the body is compressed: see `isCompressed`.
 */
export function compressionType(sysFlag: number): number {
  const type = (sysFlag & SysFlag.compressionMask) >>> 8
  return type === 0 ? CompressionType.zlib : type
}

/** The flag of a message whose body was just compressed by this method. */
export function withCompression(sysFlag: number, type: number): number {
  return (sysFlag & ~SysFlag.compressionMask) | SysFlag.compressed | ((type << 8) & SysFlag.compressionMask)
}

/** The flag of a message whose body was just inflated: 5.x clears only the bit that says so. */
export function withoutCompression(sysFlag: number): number {
  return sysFlag & ~SysFlag.compressed
}

/** Both flags set: the body is a batch which consumers unpack (store.md 2.9). */
export function isInnerBatch(sysFlag: number): boolean {
  const both = SysFlag.needUnwrap | SysFlag.innerBatch
  return (sysFlag & both) === both
}
