import { type BatchedSpan, maxPropertiesBytes, propertySeparator } from '@skua-mq/protocol'
import type { Draft } from '../put.ts'

/** The property text of one message of a batch: its own, a separator where one is missing, then the batch's. Reused. */
export class JoinedProperties {
  readonly bytes: Uint8Array = new Uint8Array(2 * maxPropertiesBytes + 1)

  /** Fills `bytes`, and answers how many bytes there are; more than are allowed are counted and not copied. */
  join(own: BatchedSpan, batch: Draft): number {
    const ownLength = own.propertiesEnd - own.propertiesStart
    const batchLength = batch.propertiesEnd - batch.propertiesStart
    const isOpen = ownLength > 0 && batchLength > 0 && own.bytes[own.propertiesEnd - 1] !== propertySeparator
    const length = ownLength + batchLength + (isOpen ? 1 : 0)
    if (length > maxPropertiesBytes) return length
    const { bytes } = this
    // Loops, since these texts are short and a view for each message of a batch is what the collector then works on.
    for (let i = 0; i < ownLength; i++) bytes[i] = own.bytes[own.propertiesStart + i]!
    if (isOpen) bytes[ownLength] = propertySeparator
    for (let i = 0, to = length - batchLength; i < batchLength; i++)
      bytes[to + i] = batch.properties[batch.propertiesStart + i]!
    return length
  }
}
