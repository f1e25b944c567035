/** Everything the store is told from outside. Keys of RocketMQ keep their names and units (store.md 11). */
export interface StoreConfig {
  readonly storePathRootDir: string
  /** Empty: `storePathRootDir`/commitlog. */
  readonly storePathCommitLog: string
  /** Bytes of a log segment; must equal what the directory was written with. */
  readonly mappedFileSizeCommitLog: number
  /** Bytes of a consume queue file, rounded up to a multiple of 20. */
  readonly mappedFileSizeConsumeQueue: number
  /** Longest body, bytes. */
  readonly maxMessageSize: number
  readonly messageIndexEnable: boolean
  readonly maxHashSlotNum: number
  readonly maxIndexNum: number
  readonly maxMsgsNumBatch: number
  readonly checkCRCOnRecover: boolean
  readonly flushDiskType: 'ASYNC_FLUSH' | 'SYNC_FLUSH'
  /** Milliseconds between two fdatasyncs of the log under ASYNC_FLUSH. */
  readonly flushIntervalCommitLog: number
  /** Milliseconds a message waits for its fdatasync under SYNC_FLUSH. */
  readonly syncFlushTimeout: number
  /** Milliseconds between two writes of consume queues and index. */
  readonly flushIntervalConsumeQueue: number
  /** Milliseconds between two fdatasyncs of consume queues and index, after which the checkpoint moves. */
  readonly flushConsumeQueueThoroughInterval: number
  /** Hours of deletion, local time, `;` between them. */
  readonly deleteWhen: string
  /** Hours after which a segment may be deleted. */
  readonly fileReservedTime: number
  readonly diskMaxUsedSpaceRatio: number
  readonly diskSpaceCleanForciblyRatio: number
  readonly diskSpaceWarningLevelRatio: number
  readonly cleanFileForciblyEnable: boolean
  /** Milliseconds between two rounds of retention. */
  readonly cleanResourceInterval: number
  readonly brokerRole: 'ASYNC_MASTER' | 'SYNC_MASTER' | 'SLAVE'
  /** Milliseconds a message waits for a slave under SYNC_MASTER. */
  readonly slaveTimeout: number
  readonly maxTransferCountOnMessageInMemory: number
  readonly maxTransferBytesOnMessageInMemory: number
  readonly maxTransferCountOnMessageInDisk: number
  readonly maxTransferBytesOnMessageInDisk: number
  readonly accessMessageInMemoryMaxRatio: number
  /** Delays of the levels 1, 2, … as RocketMQ writes them: `1s 5s 10s 30s 1m …`. */
  readonly messageDelayLevel: string

  /** Host of this broker as stored in each record: 4 or 16 bytes of address, then the port as int32. */
  readonly storeHost: Uint8Array
  /** Bytes of the newest log kept in memory for readers. */
  readonly logRingBytes: number
  /** Bytes of one piece of that memory; a larger message gets a piece of its own. */
  readonly logChunkBytes: number
  /** Bytes written and not yet synced above which the log is synced at once. */
  readonly flushDirtyBytes: number
  /** Bytes written and not yet synced above which sends are refused as busy. */
  readonly maxDirtyBytes: number
  /** Bytes of queue entries kept in memory, all queues together. */
  readonly queueBlockBytes: number
  /** File descriptors of the store. */
  readonly maxOpenFiles: number
  /** Memory of the machine, bytes: decides what counts as "in memory" in the limits of a pull. */
  readonly totalMemoryBytes: number
  /** Milliseconds between two attempts to take messages again after a write failed. */
  readonly diskProbeInterval: number
}

const loopbackHost = Uint8Array.of(127, 0, 0, 1, 0, 0, 0x2a, 0x9f)
const MiB = 1024 * 1024

export const defaultStoreConfig: StoreConfig = Object.freeze({
  storePathRootDir: 'store',
  storePathCommitLog: '',
  mappedFileSizeCommitLog: 1024 * MiB,
  mappedFileSizeConsumeQueue: 6_000_000,
  maxMessageSize: 4 * MiB,
  messageIndexEnable: true,
  maxHashSlotNum: 5_000_000,
  maxIndexNum: 20_000_000,
  maxMsgsNumBatch: 64,
  checkCRCOnRecover: true,
  flushDiskType: 'ASYNC_FLUSH',
  flushIntervalCommitLog: 500,
  syncFlushTimeout: 5000,
  flushIntervalConsumeQueue: 1000,
  flushConsumeQueueThoroughInterval: 60_000,
  deleteWhen: '04',
  fileReservedTime: 72,
  diskMaxUsedSpaceRatio: 75,
  diskSpaceCleanForciblyRatio: 85,
  diskSpaceWarningLevelRatio: 90,
  cleanFileForciblyEnable: true,
  cleanResourceInterval: 10_000,
  brokerRole: 'ASYNC_MASTER',
  slaveTimeout: 3000,
  maxTransferCountOnMessageInMemory: 32,
  maxTransferBytesOnMessageInMemory: 262_144,
  maxTransferCountOnMessageInDisk: 8,
  maxTransferBytesOnMessageInDisk: 65_536,
  accessMessageInMemoryMaxRatio: 40,
  messageDelayLevel: '1s 5s 10s 30s 1m 2m 3m 4m 5m 6m 7m 8m 9m 10m 20m 30m 1h 2h',
  storeHost: loopbackHost,
  logRingBytes: 32 * MiB,
  logChunkBytes: MiB,
  flushDirtyBytes: 64 * MiB,
  maxDirtyBytes: 256 * MiB,
  queueBlockBytes: 16 * MiB,
  maxOpenFiles: 800,
  totalMemoryBytes: 4096 * MiB,
  diskProbeInterval: 1000,
})

/** Milliseconds per delay level, index 0 being level 1. Units s, m, h, d; an entry that is none of these counts as 1 s. */
export function parseDelayLevels(text: string): number[] {
  const units: Record<string, number> = { s: 1000, m: 60_000, h: 3_600_000, d: 86_400_000 }
  return text
    .trim()
    .split(/\s+/)
    .map(level => {
      const unit = units[level.at(-1) ?? '']
      const count = Number.parseInt(level, 10)
      return unit === undefined || Number.isNaN(count) ? 1000 : count * unit
    })
}
