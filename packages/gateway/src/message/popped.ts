import { type PopHeader, poppedMessages, type StoredMessage } from '@skua-mq/protocol'
import type { Handle } from './handle.ts'

export interface Popped {
  readonly stored: StoredMessage
  readonly handle: Handle
}

/** The messages of a pop with their handles. */
export const popped = (bytes: Uint8Array, header: PopHeader, brokerName: string): Popped[] =>
  poppedMessages(bytes, header, brokerName).map(({ stored, info }) => ({
    stored,
    handle: { ...info, commitLogOffset: stored.physicalOffset },
  }))
