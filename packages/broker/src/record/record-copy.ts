import { RecordAt, RecordLayout, readInt, readLong } from '@skua-mq/protocol'
import type { Draft } from '@skua-mq/store'
import { isSound } from './sound-record.ts'

/** Bits which the store sets itself, from the lengths of the hosts. */
const hostBits = 0x30

/**
 * Makes a draft of a stored record: same body, flag, sysFlag, born fields, reconsumeTimes and properties. Nothing is
 * copied, so the record's bytes must stay until `append` has returned. The topic is the caller's to choose. One object
 * serves one record after another.
 */
export class RecordCopy {
  private readonly layout = new RecordLayout()
  queueOffset = 0
  physicalOffset = 0
  size = 0

  /** Fills everything but topic and queue from the record at `at`; false when none is there whose parts are as long as it says. */
  fill(draft: Draft, bytes: Uint8Array, { at = 0 } = {}): boolean {
    const { layout } = this
    if (!isSound(bytes, at, layout)) return false
    this.queueOffset = readLong(bytes, at + RecordAt.queueOffset)
    this.physicalOffset = readLong(bytes, at + RecordAt.physicalOffset)
    this.size = layout.size
    draft.isAgain = true
    draft.flag = readInt(bytes, at + RecordAt.flag)
    draft.sysFlag = layout.sysFlag & ~hostBits
    draft.bornAtMs = readLong(bytes, at + RecordAt.bornTimestamp)
    draft.bornHost = bytes.subarray(layout.bornHostAt, layout.storeTimestampAt)
    draft.reconsumeTimes = readInt(bytes, layout.reconsumeTimesAt)
    draft.preparedTransactionOffset = readLong(bytes, layout.preparedTransactionOffsetAt)
    draft.body = bytes
    draft.bodyStart = layout.bodyAt
    draft.bodyEnd = layout.bodyAt + layout.bodyLength
    draft.properties = bytes
    draft.propertiesStart = layout.propertiesAt
    draft.propertiesEnd = layout.propertiesAt + layout.propertiesLength
    return true
  }
}
