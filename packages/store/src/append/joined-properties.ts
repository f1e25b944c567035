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
    this.bytes.set(own.bytes.subarray(own.propertiesStart, own.propertiesEnd))
    if (isOpen) this.bytes[ownLength] = propertySeparator
    this.bytes.set(batch.properties.subarray(batch.propertiesStart, batch.propertiesEnd), length - batchLength)
    return length
  }
}
