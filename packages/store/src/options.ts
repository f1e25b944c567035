import { bool, bytes, count, formed, hours, int, millis, oneOf, path, percent } from '@skua-mq/runtime'

const MiB = 1024 * 1024

/** RocketMQ's keys of the store (store.md 11), and below them our own. Names and units are RocketMQ's where the key is. */
export const storeOptions = {
  storePathRootDir: path({ default: '~/store', help: 'directory of the store' }),
  storePathCommitLog: path({ default: '', help: 'directory of the commit log; empty: storePathRootDir/commitlog' }),
  mappedFileSizeCommitLog: bytes({
    default: 1024 * MiB,
    min: 4096,
    help: 'size of a commit log file; must be what the directory was written with',
  }),
  mappedFileSizeConsumeQueue: bytes({
    default: 6_000_000,
    min: 20,
    help: 'size of a consume queue file, rounded up to a multiple of 20',
  }),
  enableConsumeQueueExt: bool({
    default: false,
    help: 'keep an extended unit of each message beside its queue entry (consumequeue_ext)',
  }),
  mappedFileSizeConsumeQueueExt: bytes({ default: 48 * MiB, min: 1024, help: 'size of a file of extended units' }),
  maxMessageSize: bytes({ default: 4 * MiB, min: 1, max: 128 * MiB, help: 'longest body', live: true }),
  autoMessageVersionOnTopicLen: bool({
    default: false,
    help: 'store messages of retry and dead letter topics of 128 to 255 bytes, in a form that 4.9 takes for the end of the log; false: they are refused',
  }),
  maxBatchBytes: bytes({
    default: 16 * MiB,
    min: 64 * 1024,
    help: 'longest batch as it is stored: every message of it has the properties of the batch',
    live: true,
  }),
  messageIndexEnable: bool({ default: true, help: 'index messages by key and unique key' }),
  maxHashSlotNum: count({ default: 5_000_000, min: 1, help: 'slots of an index file' }),
  maxIndexNum: count({ default: 20_000_000, min: 2, help: 'entries of an index file' }),
  maxMsgsNumBatch: count({ default: 64, min: 1, help: 'most messages in the answer to a query by key', live: true }),
  checkCRCOnRecover: bool({ default: true, help: 'compare bodies with their CRC at recovery' }),
  flushDiskType: oneOf(['ASYNC_FLUSH', 'SYNC_FLUSH'], {
    default: 'ASYNC_FLUSH',
    live: true,
    help: 'answer a send after the write, or after an fdatasync',
  }),
  flushIntervalCommitLog: millis({ default: 500, min: 1, help: 'between two fdatasyncs of the log', live: true }),
  flushCommitLogLeastPages: count({
    default: 4,
    help: 'pages of 4 KiB that must be dirty for one, but for the thorough ones',
    live: true,
  }),
  flushCommitLogThoroughInterval: millis({
    default: 10_000,
    min: 1,
    help: 'after this time whatever is dirty is synced',
    live: true,
  }),
  flushCommitLogTimed: bool({ default: true, help: 'false: an fdatasync after each write, one at a time', live: true }),
  syncFlushTimeout: millis({
    default: 5000,
    min: 1,
    help: 'longest wait for the fdatasync under SYNC_FLUSH',
    live: true,
  }),
  flushIntervalConsumeQueue: millis({
    default: 1000,
    min: 1,
    help: 'between two writes of queues and index',
    live: true,
  }),
  flushConsumeQueueThoroughInterval: millis({
    default: 60_000,
    min: 1,
    help: 'between two fdatasyncs of queues and index',
    live: true,
  }),
  deleteWhen: formed(
    {
      kind: 'hours of the day from 0 to 23, joined by ;',
      isRight: text => text.split(';').every(hour => /^\d{1,2}$/.test(hour.trim()) && Number(hour) < 24),
    },
    { default: '04', help: 'hours of deletion, local time, separated by ;', live: true },
  ),
  fileReservedTime: hours({ default: 72, help: 'age at which a full commit log file may be deleted', live: true }),
  diskMaxUsedSpaceRatio: percent({
    default: 75,
    min: 10,
    help: 'above it expired files go at any hour (10 to 95)',
    live: true,
  }),
  diskSpaceCleanForciblyRatio: percent({
    default: 85,
    min: 10,
    help: 'above it files go whatever their age',
    live: true,
  }),
  diskSpaceWarningLevelRatio: percent({ default: 90, min: 10, help: 'above it messages are refused', live: true }),
  cleanFileForciblyEnable: bool({ default: true, help: 'allow deletion whatever the age', live: true }),
  cleanResourceInterval: millis({ default: 10_000, min: 1, help: 'between two rounds of retention', live: true }),
  brokerRole: oneOf(['ASYNC_MASTER', 'SYNC_MASTER', 'SLAVE'], { default: 'ASYNC_MASTER', help: 'role in its group' }),
  slaveTimeout: millis({ default: 3000, min: 1, help: 'longest wait for a slave under SYNC_MASTER', live: true }),
  maxTransferCountOnMessageInMemory: count({
    default: 32,
    min: 1,
    help: 'most messages of a pull from memory',
    live: true,
  }),
  maxTransferBytesOnMessageInMemory: bytes({ default: 262_144, help: 'most bytes of a pull from memory', live: true }),
  maxTransferCountOnMessageInDisk: count({ default: 8, min: 1, help: 'most messages of a pull from disk', live: true }),
  maxTransferBytesOnMessageInDisk: bytes({ default: 65_536, help: 'most bytes of a pull from disk', live: true }),
  accessMessageInMemoryMaxRatio: percent({
    default: 40,
    help: 'share of memory behind the end of the log that counts as in memory',
    live: true,
  }),

  logRingBytes: bytes({ default: 16 * MiB, min: 4096, help: 'newest log kept in memory for readers' }),
  logChunkBytes: bytes({ default: MiB, min: 1024, help: 'piece of that memory; a larger message gets its own' }),
  logReadBytes: bytes({ default: 8 * MiB, help: 'log read from its files kept in memory for the next readers' }),
  flushDirtyBytes: bytes({
    default: 64 * MiB,
    help: 'written and not synced bytes that start an fdatasync',
    live: true,
  }),
  maxDirtyBytes: bytes({
    default: 256 * MiB,
    help: 'written and not synced bytes above which sends are busy',
    live: true,
  }),
  queueSyncAtStopMs: millis({
    default: 1000,
    help: 'longest time that a stop syncs queues; what is left then is looked at as after a kill',
    live: true,
  }),
  queueBlockBytes: bytes({ default: 16 * MiB, help: 'queue entries kept in memory, all queues together' }),
  maxOpenFiles: int({ default: 800, min: 8, max: 1_000_000, help: 'open files of the store; keep below the ulimit' }),
  diskProbeInterval: millis({ default: 1000, min: 1, help: 'between two tries of a disk that failed', live: true }),
} as const
