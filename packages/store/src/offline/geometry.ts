import type { Disk } from '@skua-mq/runtime'
import type { StoreConfig } from '../config.ts'
import { layoutOf } from '../file/layout.ts'
import type { StoreDirectory } from './directory.ts'
import { IndexReading } from './index-reading.ts'

/** What the files of a store tell of the configuration with which they were written. */
export function geometryOf(disk: Disk, root: string, store: StoreDirectory): Partial<StoreConfig> {
  const [log] = store.log
  const queue = store.queues.flatMap(({ files }) => files)[0]
  return {
    storePathRootDir: root,
    ...(log === undefined ? {} : { mappedFileSizeCommitLog: log.size }),
    ...(queue === undefined ? {} : { mappedFileSizeConsumeQueue: queue.size }),
    ...indexGeometry(disk, root, store),
  }
}

function indexGeometry(disk: Disk, root: string, store: StoreDirectory): Partial<StoreConfig> {
  const [name] = store.index
  if (name === undefined) return {}
  const reading = new IndexReading(disk, layoutOf({ storePathRootDir: root, storePathCommitLog: '' }).index, name)
  try {
    const slots = reading.slots()
    return slots === undefined ? {} : { maxHashSlotNum: slots, maxIndexNum: reading.capacity(slots) }
  } finally {
    reading.close()
  }
}
