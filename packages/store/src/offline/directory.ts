import type { Disk } from '@skua-mq/runtime'
import { fileOffset, layoutOf } from '../file/layout.ts'

/** A file named after the offset at which it starts. */
export interface OffsetFile {
  readonly base: number
  readonly size: number
  readonly path: string
}

export interface QueueDirectory {
  readonly topic: string
  readonly queueId: number
  readonly files: readonly OffsetFile[]
  /** Files of its extended units. */
  readonly ext: readonly OffsetFile[]
}

/** What lies in a store directory. Sizes come from the files themselves, so that no configuration is needed. */
export interface StoreDirectory {
  readonly log: readonly OffsetFile[]
  readonly queues: readonly QueueDirectory[]
  readonly index: readonly string[]
  /** The store was not closed, or is open. */
  readonly abort: boolean
}

/** Lists a store directory, Java's or ours (store.md 1). Writes nothing. */
export function readStoreDirectory(disk: Disk, root: string): StoreDirectory {
  const layout = layoutOf({ storePathRootDir: root, storePathCommitLog: '' })
  const queues: QueueDirectory[] = []
  const hasExt = disk.stat(layout.consumeQueueExt) !== undefined
  for (const topic of disk.list(layout.consumeQueue)) {
    for (const queue of disk.list(`${layout.consumeQueue}/${topic}`)) {
      if (!/^\d+$/.test(queue)) continue
      const files = offsetFiles(disk, `${layout.consumeQueue}/${topic}/${queue}`)
      const ext = hasExt ? offsetFiles(disk, `${layout.consumeQueueExt}/${topic}/${queue}`) : []
      queues.push({ topic, queueId: Number(queue), files, ext })
    }
  }
  return {
    log: offsetFiles(disk, layout.commitLog),
    queues,
    index: disk.list(layout.index).filter(name => /^\d{17}$/.test(name)),
    abort: disk.stat(layout.abort) !== undefined,
  }
}

function offsetFiles(disk: Disk, directory: string): OffsetFile[] {
  const files: OffsetFile[] = []
  for (const name of disk.list(directory)) {
    const base = fileOffset(name)
    const path = `${directory}/${name}`
    const size = disk.stat(path)?.size
    if (base !== undefined && size !== undefined) files.push({ base, size, path })
  }
  return files
}
