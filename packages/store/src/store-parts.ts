import type { Disk } from '@skua-mq/runtime'
import { Answers } from './append/answers.ts'
import { Appender } from './append/appender.ts'
import { SlotPool } from './append/put-slot.ts'
import { PutTimes } from './append/put-times.ts'
import { ReplicaAppend } from './append/replica-append.ts'
import { TurnWrite } from './append/turn-write.ts'
import { CommitLog } from './commit-log/commit-log.ts'
import { Segments } from './commit-log/segments.ts'
import type { StoreConfig } from './config.ts'
import { ExtFiles } from './consume-queue/ext-files.ts'
import { QueueFiles } from './consume-queue/queue-files.ts'
import { QueueTable } from './consume-queue/queue-table.ts'
import { Dispatch } from './dispatch.ts'
import { StoreFigures } from './figures.ts'
import { DirtyFiles } from './file/dirty-files.ts'
import { layoutOf } from './file/layout.ts'
import { OpenFiles } from './file/open-files.ts'
import { DiskProbe } from './flush/disk-probe.ts'
import { DispatchFlush } from './flush/dispatch-flush.ts'
import { LogFlush } from './flush/log-flush.ts'
import { Suspicion } from './flush/suspicion.ts'
import { Health } from './health.ts'
import { IndexFiles } from './index-file/index-files.ts'
import { StoreLock } from './owner/store-lock.ts'
import { QueueRead } from './read/queue-read.ts'
import { LogReader } from './reader.ts'
import { Recovery } from './recovery/recovery.ts'
import { Retention } from './retention/retention.ts'
import type { SpecialQueue } from './special-queue.ts'
import type { StoreNeeds } from './store-needs.ts'

export type StoreParts = ReturnType<typeof storeParts>

/** Puts the parts of a store together; nothing is touched on disk. */
export function storeParts(config: StoreConfig, needs: StoreNeeds) {
  const { clock, disk, turn, events, facts, replicas, special = [] } = needs
  const { bootId } = facts
  const layout = layoutOf(config)
  const health = new Health(events)
  const files = new OpenFiles(disk, config.maxOpenFiles)
  const segments = new Segments({ disk, files }, { directory: layout.commitLog, size: config.mappedFileSizeCommitLog })
  const log = new CommitLog(segments, { chunkBytes: config.logChunkBytes, ringBytes: config.logRingBytes })
  const onTrouble = (error: unknown) => {
    health.distrust(error)
    health.set('queue write', `consume queues or index could not be written: ${error}`)
  }
  const dirtyFiles = new DirtyFiles({ disk, files })
  const queues = queueTable({ disk, files, dirty: dirtyFiles }, { config, layout, onTrouble, special })
  const index = config.messageIndexEnable
    ? new IndexFiles({ disk, files, clock, events, onTrouble }, { directory: layout.index, geometry: config })
    : undefined
  const dispatch = new Dispatch(index, { isExtended: config.enableConsumeQueueExt, bitmaps: needs.bitmaps })
  const pool = new SlotPool()
  const answers = new Answers({ clock, turn, pool, replicas })
  const onFailed = () => probe.begin()
  const flush = new LogFlush({
    ...{ clock, log, config, health },
    onSynced: offset => answers.synced(offset),
    onFailed: error => {
      suspicion.raise('the commit log', error)
      answers.syncFailed()
      probe.begin()
    },
  })
  const suspicion = new Suspicion({ disk, files, events, layout })
  const probe = new DiskProbe({ clock, config, log, flush, health })
  const turnBytes = config.logRingBytes / 2
  const putTimes = new PutTimes()
  const turnWrite = new TurnWrite({
    ...{ clock, putTimes },
    ...{ turn, log, dispatch, answers, flush, health, turnBytes, onFailed },
  })
  const appender = new Appender({ clock, turn, config, log, queues, flush, answers, replicas, health, pool, turnWrite })
  const replica = new ReplicaAppend({ log, queues, dispatch, flush, turnWrite, events, health })
  const dispatchFlush = new DispatchFlush({
    ...{ clock, events, disk, files, config, layout, log, queues, dirtyFiles, index },
    ...{ logFlush: flush, suspicion, health, bootId },
  })
  const parts = { disk, events, config, layout, log, queues, index, dispatch, suspicion, bootId }
  const recovery = new Recovery(parts)
  const retention = new Retention({
    ...{ clock, disk, events, config, layout, log, queues, index, health, flush, dispatchFlush },
  })
  const reader = new LogReader(log)
  const queueRead = new QueueRead({ config, log, queues, reader, events })
  const figures = new StoreFigures({ log, flush, health, reader })
  const lock = new StoreLock({ disk, layout, facts })
  return {
    ...{ config, layout, health, files, log, queues, index, answers, flush, probe, turnWrite, appender, replica },
    ...{ retention, suspicion, dispatchFlush, recovery, reader, queueRead, lock, disk, events, putTimes, figures },
  }
}

function queueTable(
  parts: { disk: Disk; files: OpenFiles; dirty: DirtyFiles },
  {
    config,
    layout,
    onTrouble,
    special,
  }: {
    config: StoreConfig
    layout: ReturnType<typeof layoutOf>
    onTrouble: (error: unknown) => void
    special: readonly SpecialQueue[]
  },
): QueueTable {
  const queueFiles = new QueueFiles(parts, { root: layout.consumeQueue, fileBytes: config.mappedFileSizeConsumeQueue })
  const extFiles = new ExtFiles(parts, {
    root: layout.consumeQueueExt,
    fileBytes: config.mappedFileSizeConsumeQueueExt,
  })
  return new QueueTable({ files: queueFiles, extFiles }, { blockBytes: config.queueBlockBytes, onTrouble, special })
}
