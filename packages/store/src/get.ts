import { assert } from '@skua-mq/runtime'

/** store.md 6, getMessage; the remark of a pull reply is `getStatusNames[status]`. */
export type GetStatus =
  | 'found'
  | 'noMatchedMessage'
  | 'messageWasRemoving'
  | 'offsetFoundNull'
  | 'offsetOverflowBadly'
  | 'offsetOverflowOne'
  | 'offsetTooSmall'
  | 'noMatchedLogicQueue'
  | 'noMessageInQueue'

/** RocketMQ's own names, as they stand in the remark of a pull reply. */
export const getStatusNames: Readonly<Record<GetStatus, string>> = {
  found: 'FOUND',
  noMatchedMessage: 'NO_MATCHED_MESSAGE',
  messageWasRemoving: 'MESSAGE_WAS_REMOVING',
  offsetFoundNull: 'OFFSET_FOUND_NULL',
  offsetOverflowBadly: 'OFFSET_OVERFLOW_BADLY',
  offsetOverflowOne: 'OFFSET_OVERFLOW_ONE',
  offsetTooSmall: 'OFFSET_TOO_SMALL',
  noMatchedLogicQueue: 'NO_MATCHED_LOGIC_QUEUE',
  noMessageInQueue: 'NO_MESSAGE_IN_QUEUE',
}

/** Which messages of a queue a reader wants. Both questions are asked for each entry, so they must be cheap. */
export interface MessageFilter {
  /** By the low 32 bits (signed) of the entry's tagsCode: the Java hash of the tag, 0 without one. */
  matchesTag(tagsHash: number): boolean
  /**
   * By the bitmap which the extended entry of a message at a physical offset has: false only where it is certain that
   * `matchesRecord` would be.
   */
  matchesBitmap?(bitmap: Uint8Array, physicalOffset: number): boolean
  /** Records that may be asked about in one read, where each costs much; the read ends there. Default: no bound but those of all reads. */
  readonly mostRecords?: number | undefined
  /** By the stored record, which is `bytes[start, end)`; asked only when present and the tag matched. */
  readonly matchesRecord?: ((bytes: Uint8Array, start: number, end: number) => boolean) | undefined
}

/** A read from a queue. The caller may fill it anew as soon as `get` returned, also while that read waits for the disk. */
export class GetRequest {
  topic = ''
  queueId = 0
  /** First wanted queue offset. */
  offset = 0
  /** At most this many messages; the limits `maxTransferCount…` and `maxTransferBytes…` hold as well. */
  maxCount = 32
  /** At most this many bytes; the first message always passes. */
  maxBytes = Number.MAX_SAFE_INTEGER
  filter: MessageFilter | undefined = undefined
}

/**
 * What a read found. Reused by the caller; `release` must be called exactly once after each read, when the slices are
 * no longer needed (the bytes were sent), and before the next read.
 */
export class GetResult {
  status: GetStatus = 'noMessageInQueue'
  nextOffset = 0
  minOffset = 0
  maxOffset = 0
  /** Messages in `slices`. */
  count = 0
  /** Bytes in `slices`. */
  bytes = 0
  /** Stored records back to back, merged where they are contiguous in the log; unchanged until `release`. */
  readonly slices: Uint8Array[] = []
  /** How far the log has run past the last record read, in bytes (for suggestPullingFromSlave). */
  lagBytes = 0
  /** Owned by the store: what `release` gives back. */
  readonly pinned: { pins: number }[] = []

  release(): void {
    for (const pin of this.pinned) {
      assert(pin.pins > 0, 'what is released is pinned')
      pin.pins--
    }
    this.pinned.length = 0
    this.slices.length = 0
  }

  reset(): void {
    this.release()
    this.count = 0
    this.bytes = 0
    this.nextOffset = 0
    this.minOffset = 0
    this.maxOffset = 0
    this.lagBytes = 0
    this.status = 'noMessageInQueue'
  }
}
