import type { MessageQueue } from '@skua-mq/protocol'

/**
 * Where offsets are kept. An offset is that of the next message to be consumed. Write your own to keep offsets beside
 * your data, in one transaction with it.
 */
export interface OffsetStorage {
  /** Called once, before anything else. */
  load?(): Promise<void>
  /** Undefined when none is known; rejects when that cannot be said now. */
  read(queue: MessageQueue): Promise<number | undefined>
  write(offsets: readonly (readonly [MessageQueue, number])[]): Promise<void>
}

/** Offsets that die with the process. */
export class MemoryOffsetStorage implements OffsetStorage {
  private readonly offsets = new Map<string, number>()

  async read({ topic, brokerName, queueId }: MessageQueue): Promise<number | undefined> {
    return this.offsets.get(`${topic}\n${brokerName}\n${queueId}`)
  }

  async write(offsets: readonly (readonly [MessageQueue, number])[]): Promise<void> {
    for (const [{ topic, brokerName, queueId }, offset] of offsets) {
      this.offsets.set(`${topic}\n${brokerName}\n${queueId}`, offset)
    }
  }
}
