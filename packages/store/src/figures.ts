import type { Histogram } from '@skua-mq/runtime'
import type { CommitLog } from './commit-log/commit-log.ts'
import type { LogFlush } from './flush/log-flush.ts'
import type { Cause, Health } from './health.ts'
import { type LogReader, recordSizeAt, storedAtMsOf } from './reader.ts'

export interface FiguresParts {
  readonly log: CommitLog
  readonly flush: LogFlush
  readonly health: Health
  readonly reader: LogReader
}

/** As much of a record as its store time needs. */
const headBytes = 96

/** What those want to know who look after a store. Everything is read when it is asked for. */
export class StoreFigures {
  private readonly parts: FiguresParts

  constructor(parts: FiguresParts) {
    this.parts = parts
  }

  /** Whether it was started, and reads; `cause` says whether it takes messages, too. */
  get isOpen(): boolean {
    return !this.parts.health.has('stopped')
  }

  /** The gravest cause for which no message is taken. */
  get cause(): Cause | undefined {
    return this.parts.health.cause
  }

  /** Bytes of the log that no fdatasync has covered. */
  get flushBehindBytes(): number {
    return this.parts.flush.dirtyBytes
  }

  /** Bytes of the log that no queue has heard of: of a slave, a record of which a part has come. */
  get dispatchBehindBytes(): number {
    const { log } = this.parts
    return log.written - log.recordsEnd
  }

  /** How long fdatasyncs of files of the log took that succeeded, in ms. */
  get syncTimes(): Histogram {
    return this.parts.flush.times
  }

  /** Fdatasyncs of the log that failed since the start. */
  get syncFailures(): number {
    return this.parts.flush.failureCount
  }

  /** Store time of the oldest message of the log; undefined without one. */
  async oldestStoredAtMs(): Promise<number | undefined> {
    const { log, reader } = this.parts
    const { minOffset, written } = log
    if (minOffset >= written) return undefined
    const head = await reader.read(minOffset, Math.min(headBytes, written - minOffset))
    return head.length < headBytes || recordSizeAt(head) === undefined ? undefined : storedAtMsOf(head)
  }
}
