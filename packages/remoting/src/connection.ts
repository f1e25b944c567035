import type { Command } from '@skua-mq/protocol'
import type { Address } from '@skua-mq/runtime'

/** One peer, as handlers and tables see it: an identity, a place to send requests to, and the moment it goes away. */
export interface Connection {
  /** Unique in the process. */
  readonly id: number
  readonly remote: Address
  readonly local: Address
  /** False as soon as it is closed. */
  readonly open: boolean
  /** Sends a request and waits for its reply; rejects with a NetError on time-out or close. Default 3000 ms. */
  call(command: OutgoingCommand, timeoutMs?: number): Promise<Command>
  /** Sends a request that nobody answers. */
  tell(command: OutgoingCommand): void
  /** Runs once when the connection closes; at once when it is closed already. */
  onClose(run: () => void): void
  close(): void
}

/** A request to be sent: opaque, language and version are filled in. */
export interface OutgoingCommand {
  readonly code: number
  readonly extFields?: Record<string, string> | undefined
  readonly body?: Uint8Array | undefined
  readonly remark?: string | undefined
}
