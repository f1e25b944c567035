import type { Service } from '@skua-mq/runtime'
import type { PutTimes } from './append/put-times.ts'
import type { ExtUnit } from './consume-queue/ext-unit.ts'
import type { StoreFigures } from './figures.ts'
import type { GetRequest, GetResult } from './get.ts'
import type { AppendWaiter, Draft } from './put.ts'
import type { LogLandmarks } from './read/landmarks.ts'
import type { TailCut } from './recovery/tail-cut.ts'

/** One unit of a consume queue (store.md 3.1). Reused by the caller. */
export interface QueueEntry {
  physicalOffset: number
  size: number
  /** All 64 bits as a number: a tag's hash, or the delivery time of a delayed message. */
  tagsCode: number
  /** Where ConsumeQueueExt has more of the message, and what stands there; no unit where that is lost. */
  ext?: { readonly address: number; readonly unit: ExtUnit | undefined } | undefined
}

/** One queue of a topic. Offsets are queue offsets. */
export interface MessageQueue {
  readonly topic: string
  readonly queueId: number
  readonly minOffset: number
  /** The next offset that consumers will see; messages whose write has not returned are not counted. */
  readonly maxOffset: number
  /** Reads up to `into.length` entries from `offset` on; returns how many, 0 at or past the end. */
  entries(offset: number, into: QueueEntry[]): number
}

/** Told once per queue and turn, in the phase 'wake', after the write of the messages returned. */
export interface ArrivalListener {
  arrived(topic: string, queueId: number, maxOffset: number): void
  /** On a slave: a queue begins at 0 again, since the master has deleted the topic and made it anew. Told at once. */
  restarted?(topic: string, queueId: number): void
}

export interface KeyQuery {
  readonly topic: string
  readonly key: string
  /** At most this many physical offsets; `maxMsgsNumBatch` (64) holds as well. */
  readonly maxCount: number
  readonly beginMs: number
  readonly endMs: number
}

export interface KeyQueryResult {
  /** Ascending. Different keys of equal hash are among them, as in RocketMQ: the caller compares the keys. */
  readonly physicalOffsets: readonly number[]
  /** Store time of the last message that is indexed, and its physical offset (0 when none). */
  readonly indexUpdatedAtMs: number
  readonly indexUpdatedOffset: number
}

/** Somebody needs what lies in the log, whatever its age: retention takes it only where the disk is short. */
export interface LogHolder {
  /** What waits there, in words. */
  readonly what: string
  /** The first byte that is needed; infinite where none is. Asked seldom, and at once. */
  from(): number
}

/** Why the store takes no messages at the moment. */
export interface Refusing {
  readonly status: 'serviceNotAvailable' | 'busy'
  /** Names the cause, the measured figures, and the setting. */
  readonly remark: string
}

/** A message store over one directory. Everything but `append` and hot `get`s may touch files. */
export interface MessageStore extends Service {
  /** Takes a message; `waiter` is told exactly once. Refusals are told before this returns. */
  append(draft: Draft, waiter: AppendWaiter): void
  /** Takes a batch (body: remoting.md 14.5) as consecutive records. */
  appendBatch(draft: Draft, waiter: AppendWaiter): void
  /**
   * Takes bytes of a master's log, which follow those before, or the end of this one; of an empty store they are the first. Cut
   * anywhere: the log here goes on with each record that is whole, and what came of the next one is held until bytes come that do
   * not follow it. Throws EREPLICA when they do not follow, or a DiskError.
   */
  appendReplicated(offset: number, bytes: Buffer): void
  /** Bytes of the log from an offset on, at most `maxBytes` and none of the next file; empty where the log has none. */
  readLog(offset: number, maxBytes: number): Promise<Buffer>
  /** Undefined while messages are taken. */
  readonly refusing: Refusing | undefined

  /** Fills `result` at once (undefined) when what is wanted is in memory, else reads through the pool. */
  get(request: GetRequest, result: GetResult): Promise<void> | undefined
  /** The stored record that begins at a physical offset, as a copy; undefined when there is none. */
  readRecord(physicalOffset: number): Promise<Buffer | undefined>
  /** As `readRecord` for a caller that must not wait: reads the file on this thread when it is not in memory. */
  readRecordSync(physicalOffset: number): Buffer | undefined

  /** Undefined when the queue has never had a message. */
  queue(topic: string, queueId: number): MessageQueue | undefined
  /** Every queue, in no order. */
  queues(): Iterable<MessageQueue>
  /** 0 for a queue that does not exist. */
  minOffset(topic: string, queueId: number): number
  /** 0 for a queue that does not exist. */
  maxOffset(topic: string, queueId: number): number
  /** The offset of the message stored nearest to `atMs` (store.md 3.6); 0 for an empty queue. */
  offsetByTime(topic: string, queueId: number, atMs: number): Promise<number>
  /** When the message at a queue offset was stored; -1 when there is none. */
  storedAt(topic: string, queueId: number, offset: number): Promise<number>
  /** When the oldest message of a queue was stored; -1 when there is none. */
  earliestStoredAt(topic: string, queueId: number): Promise<number>
  /** The rule of remoting.md 11, code 14: minOffset is 0 and its message has not been paged out. */
  firstMessageInMemory(topic: string, queueId: number): boolean

  /** Physical offsets of messages by key or unique key. */
  query(query: KeyQuery): Promise<KeyQueryResult>

  /** Oldest byte of the log; 0 for an empty log. */
  readonly minPhysicalOffset: number
  /** How long writes to the log took, in classes of RocketMQ's runtime information (28). */
  readonly putTimes: string
  /** What was written since the start, whoever put it: sends, retries, what is delivered later, and half messages. */
  readonly puts: Pick<PutTimes, 'messages' | 'bytes' | 'mostMs' | 'within'>
  /** For those who look after the store. */
  readonly figures: StoreFigures
  /** The end of the log: the next byte to be written. */
  readonly maxPhysicalOffset: number
  /** Removes the queues of a topic (their log records go with retention). Throws Failure when the store is not started, DiskError. */
  deleteTopic(topic: string): void

  /** Segments older than `fileReservedTime` go in the next round of retention, whatever `deleteWhen` says. */
  deleteExpired(): void

  /** From now on what the holder needs goes only where the disk is short. */
  hold(holder: LogHolder): void

  /** Resolves when all that is stored now is on the medium; false where it could not be brought there. */
  sync(): Promise<boolean>

  onArrival(listener: ArrivalListener): void

  /** Where records begin, for whoever compares this log with another one. */
  readonly landmarks: Pick<LogLandmarks, 'files' | 'last' | 'records'>
  /** This start has cut the log, and what followed from that is not all on the medium: see `cutSettled`. */
  readonly tailCut: TailCut | undefined
  /** All that goes by the end of the log goes by the new one, on the medium too: no further start cuts. Throws DiskError. */
  cutSettled(): void
  /** Too few slaves are there for what minInSyncReplicas asks, and no message is taken; undefined: there are enough. */
  setShortOfReplicas(remark: string | undefined): void
  /** No message is taken until the hold is given back, for the reason that it names; what is taken from a master is. */
  holdAppends(remark: string): () => void
  /** Called before each message that is to be taken, which it may hold; undefined: nobody is called any more. */
  beforeAppends(run: (() => void) | undefined): void
}
