import type { SpecialQueue } from '../special-queue.ts'
import { BlockCache } from './block-cache.ts'
import { ConsumeQueue, type QueueParts } from './consume-queue.ts'
import type { ExtFiles } from './ext-files.ts'
import type { QueueFiles } from './queue-files.ts'

/** All consume queues of a store, and the list of those which have something to write. */
export class QueueTable {
  readonly files: QueueFiles
  readonly extFiles: ExtFiles
  readonly blocks: BlockCache
  /** Queues with units that are in memory only, in the order in which they became so. */
  dirty: ConsumeQueue[] = []
  private readonly topics = new Map<string, Map<number, ConsumeQueue>>()
  private readonly parts: QueueParts
  private readonly onTrouble: (error: unknown) => void
  /** Topics that are deleted here, and queues that began anew (`TOPIC/QUEUEID`), of which the disk may still have files. */
  private readonly leftovers = new Set<string>()
  private lastTopic = ''
  private readonly names = new Map<string, Uint8Array>()
  private lastName: Buffer = Buffer.alloc(0)
  private lastNamed = ''
  private lastBytesOf = ''
  private lastBytes: Uint8Array = new Uint8Array(0)
  private lastQueues: Map<number, ConsumeQueue> | undefined

  constructor(
    { files, extFiles }: { files: QueueFiles; extFiles: ExtFiles },
    {
      blockBytes,
      onTrouble,
      special,
    }: { blockBytes: number; onTrouble: (error: unknown) => void; special: readonly SpecialQueue[] },
  ) {
    this.files = files
    this.extFiles = extFiles
    this.blocks = new BlockCache(blockBytes, onTrouble)
    this.onTrouble = onTrouble
    const becameDirty = (queue: ConsumeQueue) => this.dirty.push(queue)
    const byTopic = new Map(special.map(queue => [queue.topic, queue]))
    this.parts = {
      special: byTopic,
      files,
      extFiles,
      blocks: this.blocks,
      becameDirty,
      beforeWrite: () => this.removeLeftovers(),
    }
  }

  find(topic: string, queueId: number): ConsumeQueue | undefined {
    if (topic !== this.lastTopic) {
      this.lastTopic = topic
      this.lastQueues = this.topics.get(topic)
    }
    return this.lastQueues?.get(queueId)
  }

  /** UTF-8 of a topic name; kept for the topics that exist. */
  topicBytes(topic: string): Uint8Array {
    if (topic === this.lastBytesOf) return this.lastBytes
    let bytes = this.names.get(topic)
    if (bytes === undefined) {
      bytes = Buffer.from(topic)
      if (this.topics.has(topic)) this.names.set(topic, bytes)
    }
    this.lastBytesOf = topic
    this.lastBytes = bytes
    return bytes
  }

  findOrCreate(topic: string, queueId: number): ConsumeQueue {
    const known = this.find(topic, queueId)
    if (known !== undefined) return known
    const queue = new ConsumeQueue(this.parts, { topic, queueId })
    let queues = this.topics.get(topic)
    if (queues === undefined) {
      queues = new Map()
      this.topics.set(topic, queues)
    }
    this.lastTopic = ''
    this.lastQueues = undefined
    queues.set(queueId, queue)
    return queue
  }

  /** The topic named by `bytes[at, at + length)`, without a new string where it is the same as last time. */
  topicNamed(bytes: Buffer, at: number, length: number): string {
    const last = this.lastName
    if (last.length === length && bytes.compare(last, 0, length, at, at + length) === 0) return this.lastNamed
    this.lastName = Buffer.from(bytes.subarray(at, at + length))
    this.lastNamed = this.lastName.toString('utf8')
    return this.lastNamed
  }

  /**
   * Empties a queue, in memory and on disk, so that it begins at 0 again. A disk that keeps its files keeps no record from
   * its place: they go before anything of the queue is written.
   */
  restart(queue: ConsumeQueue): void {
    queue.dropAll()
    queue.restartExt()
    queue.startAt(0)
    queue.maxPhysicalOffset = -1
    this.leftovers.add(`${queue.topic}/${queue.queueId}`)
    try {
      this.removeLeftovers()
    } catch (error) {
      this.onTrouble(error)
    }
  }

  /** What a dispatch point keeps of the queues as they are now. */
  totals(): { queues: number; units: number; firsts: number } {
    let queues = 0
    let units = 0
    let firsts = 0
    for (const ofTopic of this.topics.values()) {
      for (const queue of ofTopic.values()) {
        if (queue.maxOffset === 0) continue
        queues++
        units += queue.maxOffset
        firsts += queue.firstFileUnit
      }
    }
    return { queues, units, firsts }
  }

  *all(): Iterable<ConsumeQueue> {
    for (const queues of this.topics.values()) yield* queues.values()
  }

  /** Removes the queues of a topic, in memory and on disk. Throws DiskError. */
  deleteTopic(topic: string): void {
    for (const queue of this.topics.get(topic)?.values() ?? []) {
      queue.isDeleted = true
      queue.dropAll()
    }
    this.topics.delete(topic)
    this.names.delete(topic)
    this.lastTopic = ''
    this.lastQueues = undefined
    this.leftovers.add(topic)
    this.removeLeftovers()
  }

  /** Removes the files of deleted topics, and of queues that began anew; nothing of a queue is written before. Throws DiskError: they are tried again. */
  removeLeftovers(): void {
    for (const leftover of this.leftovers) {
      const isQueue = leftover.includes('/')
      for (const files of [this.files, this.extFiles]) {
        const directory = `${files.root}/${leftover}`
        const names = isQueue ? [] : this.files.names(directory)
        for (const name of names) files.removeDirectory(`${directory}/${name}`)
        files.removeDirectory(directory)
      }
      this.leftovers.delete(leftover)
    }
  }

  /** Forgets all queues, and leaves their files: they are about to be read again. Throws DiskError. */
  forgetAll(): void {
    this.removeLeftovers()
    for (const queue of this.all()) {
      queue.isDeleted = true
      queue.dropAll()
    }
    this.topics.clear()
    this.names.clear()
    this.lastTopic = ''
    this.lastQueues = undefined
  }

  /** Removes all queues, in memory and on disk: there is no log for them. */
  deleteAll(): void {
    for (const topic of [...this.topics.keys()]) this.deleteTopic(topic)
    this.files.disk.remove(this.files.root)
    this.files.disk.remove(this.extFiles.root)
  }
}
