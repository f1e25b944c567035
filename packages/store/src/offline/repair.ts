import type { Disk, Events } from '@skua-mq/runtime'
import { type StoreConfig, storeConfig } from '../config.ts'
import { type Layout, layoutOf } from '../file/layout.ts'
import { StoreLock } from '../owner/store-lock.ts'
import { writeDispatchPoints } from '../recovery/dispatch-point.ts'
import { recoveryProgress } from '../recovery/recovery.ts'
import { Store } from '../store.ts'
import type { StoreNeeds } from '../store-needs.ts'
import { readStoreDirectory, type StoreDirectory } from './directory.ts'
import { geometryOf } from './geometry.ts'
import { logRecords, type Progress } from './log-records.ts'

export interface RepairOptions {
  /** Over what the files tell; the delay levels, say. */
  readonly config?: Partial<StoreConfig>
  /** Says what would be done, and writes nothing. */
  readonly dryRun?: boolean
  /** Name of the directory in the store's root that keeps what is taken away. */
  readonly keptName: string
  readonly progress?: Progress
}

export interface Repair {
  /** Directory with what was taken away. */
  readonly kept: string
  readonly records: number
  /** End of the log, also before nothing was cut. */
  readonly end: number
  /** Torn bytes behind the last record, which are kept in a file of `kept`. */
  readonly cut: { readonly offset: number; readonly bytes: number } | undefined
  /** Damage amid the log: stays where it is, and the messages there are lost. */
  readonly damaged: readonly { readonly offset: number; readonly to: number }[]
  /** Messages whose bodies do not match their CRC: they stay, and consumers refuse them. */
  readonly wrongBodies: readonly number[]
}

/**
 * Makes a store whole again: cuts a torn tail, and rebuilds queues and index from the log. What it takes away it keeps
 * in a directory beside. Throws ESTORELOCKED when a broker has the store open.
 */
export async function repairStore(root: string, needs: StoreNeeds, options: RepairOptions): Promise<Repair> {
  const { disk } = needs
  const layout = layoutOf({ storePathRootDir: root, storePathCommitLog: '' })
  const lock = new StoreLock({ disk, layout, facts: needs.facts })
  if (!options.dryRun) lock.acquire()
  try {
    const store = readStoreDirectory(disk, root)
    const config = storeConfig({ ...geometryOf(disk, root, store), ...options.config })
    const repair = await survey(disk, store, { kept: `${root}/${options.keptName}`, progress: options.progress })
    if (options.dryRun || repair.records === 0) return repair
    await takeAway(disk, { layout, store, repair })
    trust(disk, layout, { end: repair.end, bootId: needs.facts.bootId })
    // The store that rebuilds takes the lock itself; a broker that comes in between would rebuild as well.
    lock.release()
    await rebuild(config, needs, options.progress)
    return repair
  } finally {
    if (!options.dryRun) lock.release()
  }
}

async function survey(
  disk: Disk,
  store: StoreDirectory,
  { kept, progress }: { kept: string; progress: Progress | undefined },
): Promise<Repair> {
  const damaged: { offset: number; to: number }[] = []
  const wrongBodies: number[] = []
  let records = 0
  let end = store.log[0]?.base ?? 0
  let cut: Repair['cut']
  // The log is read twice, here and for the rebuild.
  const half: Progress | undefined = progress && ((done, total) => progress(done, total * 2))
  for await (const entry of logRecords(disk, store.log, half)) {
    if (entry.kind === 'record') {
      records++
      end = entry.view.physicalOffset + entry.view.size
      if (!entry.crcMatches) wrongBodies.push(entry.view.physicalOffset)
    } else if (entry.isTail) cut = { offset: entry.offset, bytes: await writtenBytes(disk, store, entry) }
    else damaged.push({ offset: entry.offset, to: entry.to })
  }
  return { kept, records, end, cut, damaged, wrongBodies }
}

/** Up to the last byte that is not zero. */
async function writtenBytes(
  disk: Disk,
  store: StoreDirectory,
  { offset, to }: { offset: number; to: number },
): Promise<number> {
  const tail = await readLog(disk, store, { offset, to })
  let length = tail.length
  while (length > 0 && tail[length - 1] === 0) length--
  return length
}

async function readLog(
  disk: Disk,
  store: StoreDirectory,
  { offset, to }: { offset: number; to: number },
): Promise<Buffer> {
  const file = store.log.find(({ base, size }) => offset >= base && offset < base + size)!
  const handle = disk.open(file.path, 'read')
  try {
    const bytes = Buffer.alloc(Math.min(to, file.base + file.size) - offset)
    const length = await handle.read(bytes, 0, bytes.length, offset - file.base)
    return bytes.subarray(0, length)
  } finally {
    handle.closeSync()
  }
}

/** Queues, index and what speaks of them go into `kept`, and so do the bytes of a torn tail. */
async function takeAway(
  disk: Disk,
  { layout, store, repair }: { layout: Layout; store: StoreDirectory; repair: Repair },
): Promise<void> {
  const { kept, cut } = repair
  disk.makeDirectory(kept)
  for (const path of [
    layout.consumeQueue,
    layout.consumeQueueExt,
    layout.index,
    layout.checkpoint,
    layout.dispatchPoint,
    layout.abort,
  ]) {
    if (disk.stat(path) !== undefined) disk.rename(path, `${kept}/${path.slice(path.lastIndexOf('/') + 1)}`)
  }
  if (cut !== undefined) {
    const tail = await readLog(disk, store, { offset: cut.offset, to: cut.offset + cut.bytes })
    disk.writeFile(`${kept}/commitlog-${cut.offset}`, tail)
    const file = store.log.find(({ base, size }) => cut.offset >= base && cut.offset < base + size)!
    const handle = disk.open(file.path, 'write')
    try {
      handle.truncateSync(cut.offset - file.base)
      handle.truncateSync(file.size)
      await handle.syncData()
    } finally {
      handle.closeSync()
    }
  }
  disk.syncDirectory(kept)
  disk.syncDirectory(layout.root)
}

/** Says that all of the log was whole once, so that damage in it is skipped and not taken for its end. */
function trust(disk: Disk, layout: Layout, { end, bootId }: { end: number; bootId: string }): void {
  const index = { name: '', count: 1, beginAtMs: 0, endOffset: 0, previous: '' }
  const point = { physicalOffset: end, index }
  const file = disk.open(layout.dispatchPoint, 'create')
  try {
    writeDispatchPoints(file, { sequence: 1, bootId, written: point, synced: point })
    file.syncDataSync()
  } finally {
    file.closeSync()
  }
}

async function rebuild(config: StoreConfig, needs: StoreNeeds, progress: Progress | undefined): Promise<void> {
  const events: Events = {
    emit: event => {
      needs.events.emit(event)
      if (event.name !== recoveryProgress.eventName) return
      const { offset, from, to } = event.fields as { offset: number; from: number; to: number }
      progress?.(to + offset - 2 * from, 2 * (to - from))
    },
  }
  const store = new Store(config, { ...needs, events })
  await store.start()
  await store.stop()
}
