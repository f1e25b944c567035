import { type BatchedSpan, maxPropertiesBytes, propertySeparator } from '@skua-mq/protocol'
import type { Draft } from '../put.ts'

/** The property text of one message of a batch: its own, a separator where one is missing, then the batch's. Reused. */
export class JoinedProperties {
  readonly bytes: Uint8Array = new Uint8Array(2 * maxPropertiesBytes + 1)

  /** How long the text is; what `join` will answer. */
  lengthOf(own: BatchedSpan, batch: Draft): number {
    const ownLength = own.propertiesEnd - own.propertiesStart
    const batchLength = batch.propertiesEnd - batch.propertiesStart
    return ownLength + batchLength + (isOpen(own, ownLength, batchLength) ? 1 : 0)
  }

  /** Its last byte; -1 for an empty text. */
  lastByteOf(own: BatchedSpan, batch: Draft): number {
    if (batch.propertiesEnd > batch.propertiesStart) return batch.properties[batch.propertiesEnd - 1]!
    return own.propertiesEnd > own.propertiesStart ? own.bytes[own.propertiesEnd - 1]! : -1
  }

  /** Fills `bytes`, and answers how many bytes there are; more than are allowed are counted and not copied. */
  join(own: BatchedSpan, batch: Draft): number {
    const ownLength = own.propertiesEnd - own.propertiesStart
    const batchLength = batch.propertiesEnd - batch.propertiesStart
    const length = this.lengthOf(own, batch)
    if (length > maxPropertiesBytes) return length
    const { bytes } = this
    // Loops, since these texts are short and a view for each message of a batch is what the collector then works on.
    for (let i = 0; i < ownLength; i++) bytes[i] = own.bytes[own.propertiesStart + i]!
    if (length > ownLength + batchLength) bytes[ownLength] = propertySeparator
    for (let i = 0, to = length - batchLength; i < batchLength; i++)
      bytes[to + i] = batch.properties[batch.propertiesStart + i]!
    return length
  }
}

/** The message's own text lacks its closing separator, and more follows. */
function isOpen(own: BatchedSpan, ownLength: number, batchLength: number): boolean {
  return ownLength > 0 && batchLength > 0 && own.bytes[own.propertiesEnd - 1] !== propertySeparator
}
