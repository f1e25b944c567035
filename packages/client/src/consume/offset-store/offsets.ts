import type { MessageQueue } from '@skua-mq/protocol'
import { QueueMap } from '../../queue.ts'
import type { OffsetStorage } from './storage.ts'

/** Commit positions of the owned queues in memory, in front of where they are kept (client.md 9). */
export class Offsets {
  private readonly storage: OffsetStorage
  private readonly known = new QueueMap<number>()

  constructor(storage: OffsetStorage) {
    this.storage = storage
  }

  async load(): Promise<void> {
    await this.storage.load?.()
  }

  /** Moves the position; with `increaseOnly` never backwards. */
  update(queue: MessageQueue, offset: number, { increaseOnly = false } = {}): void {
    const before = this.known.get(queue)
    if (before === undefined || !increaseOnly || offset > before) this.known.set(queue, offset)
  }

  inMemory(queue: MessageQueue): number | undefined {
    return this.known.get(queue)
  }

  /** From memory, else from where they are kept; undefined when none is known. */
  async read(queue: MessageQueue): Promise<number | undefined> {
    return this.inMemory(queue) ?? this.readStored(queue)
  }

  /** Asks the storage whatever memory says, and remembers its answer. */
  async readStored(queue: MessageQueue): Promise<number | undefined> {
    const offset = await this.storage.read(queue)
    if (offset !== undefined) this.known.set(queue, offset)
    return offset
  }

  /** Writes all positions of these queues, also unmoved ones, and forgets the rest, as Java does. */
  async persist(owned: Iterable<MessageQueue>): Promise<void> {
    const keep = new QueueMap<true>()
    for (const queue of owned) keep.set(queue, true)
    const batch: [MessageQueue, number][] = []
    for (const [queue, offset] of [...this.known]) {
      if (keep.has(queue)) batch.push([queue, offset])
      else this.known.delete(queue)
    }
    if (batch.length > 0) await this.storage.write(batch)
  }

  async persistOne(queue: MessageQueue): Promise<void> {
    const offset = this.inMemory(queue)
    if (offset !== undefined) await this.storage.write([[queue, offset]])
  }

  forget(queue: MessageQueue): void {
    this.known.delete(queue)
  }

  /** Of one topic, or of all. */
  snapshot(topic?: string): Map<MessageQueue, number> {
    const all = [...this.known].filter(([queue]) => topic === undefined || queue.topic === topic)
    return new Map(all)
  }
}
