/**
 * What came of an append. The first four mean "stored" (store.md 6): `ok`, and three where a wish of the sender was not
 * met. All others mean that nothing was stored.
 */
export type PutStatus =
  | 'ok'
  | 'flushDiskTimeout'
  | 'flushSlaveTimeout'
  | 'slaveNotAvailable'
  | 'messageIllegal'
  | 'propertiesSizeExceeded'
  | 'serviceNotAvailable'
  | 'busy'
  | 'failed'

const noBytes: Uint8Array = new Uint8Array(0)

/**
 * A message on its way into the log. The caller owns one and fills it again for each append: the store copies what it
 * needs before `append` returns, so the byte ranges may point into a read buffer.
 */
export class Draft {
  topic = ''
  queueId = 0
  /** The application's flag. */
  flag = 0
  /** store.md 2.3. The bits for IPv6 hosts are set by the store, from the length of the hosts. */
  sysFlag = 0
  bornAtMs = 0
  /** As stored: 4 or 16 bytes of address, then the port as int32; so 8 or 20 bytes. */
  bornHost: Uint8Array = noBytes
  reconsumeTimes = 0
  /** Physical offset of the half message for a committed one, else 0. */
  preparedTransactionOffset = 0
  body: Uint8Array = noBytes
  bodyStart = 0
  bodyEnd = 0
  /** The property string, UTF-8, as it is to be stored (store.md 2.4). */
  properties: Uint8Array = noBytes
  propertiesStart = 0
  propertiesEnd = 0
  /** It was in the log before: the limit for bodies was asked then, and may have been lowered since. */
  isAgain = false
  /** False for the property WAIT=false: the answer waits neither for fdatasync nor for a slave. */
  waitStored = true
}

/** The outcome of one append. The object is reused: it is valid until `stored` returns. */
export class PutResult {
  status: PutStatus = 'ok'
  /** Of the first record; -1 when nothing was stored. */
  physicalOffset = -1
  /** Of the first record; 0 for records that have no queue entry (prepared, rolled back). */
  queueOffset = 0
  /** Bytes of all records together. */
  size = 0
  storedAtMs = 0
  /** Records: 1, or the messages of a batch. */
  count = 0
  /** Physical offsets of all records of a batch, in order; empty for a single message. */
  batchOffsets: readonly number[] = noOffsets
  /** How long the write of its turn took; from its end to the fdatasync, and to the slave; ms, 0 where nothing was waited for. */
  writeMs = 0
  syncMs = 0
  slaveMs = 0
  /** For a refusal: the cause and the setting that governs it. Empty otherwise. */
  remark = ''

  /** Whether the message is in the log, all wishes met or not. */
  get isStored(): boolean {
    return this.physicalOffset >= 0
  }
}

const noOffsets: readonly number[] = []

/** Told exactly once per append: at once for a refusal, else when the promise of the flush mode is met or given up. */
export interface AppendWaiter {
  stored(result: PutResult): void
}
