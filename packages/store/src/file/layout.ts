import type { StoreConfig } from '../config.ts'

/** Names of files that start at `offset`: 20 decimal digits (store.md 1). */
export function fileName(offset: number): string {
  return String(offset).padStart(20, '0')
}

/** The offset that a file name stands for, or undefined for a name that is not 20 digits. */
export function fileOffset(name: string): number | undefined {
  if (!/^\d{20}$/.test(name)) return undefined
  const offset = Number(name)
  return Number.isSafeInteger(offset) ? offset : undefined
}

/** Where things lie below the root of a store (store.md 1). */
export interface Layout {
  readonly root: string
  readonly commitLog: string
  readonly consumeQueue: string
  /** Extended units of queues, where enableConsumeQueueExt is or was set. */
  readonly consumeQueueExt: string
  readonly index: string
  readonly checkpoint: string
  readonly abort: string
  /** Java's lock file: it holds an fcntl lock on it. */
  readonly javaLock: string
  /** Ours: who has the store open. Java does not look at it. */
  readonly owner: string
  /** Ours: up to where queues and index are written and synced. */
  readonly dispatchPoint: string
  /** Ours: an fdatasync failed, and not all bytes were written again since. */
  readonly suspect: string
  /** Ours: behind which place a slave's log is to be cut, since its master's goes on otherwise there. */
  readonly tailCut: string
}

export function layoutOf(config: Pick<StoreConfig, 'storePathRootDir' | 'storePathCommitLog'>): Layout {
  const root = config.storePathRootDir
  return {
    root,
    commitLog: config.storePathCommitLog === '' ? `${root}/commitlog` : config.storePathCommitLog,
    consumeQueue: `${root}/consumequeue`,
    consumeQueueExt: `${root}/consumequeue_ext`,
    index: `${root}/index`,
    checkpoint: `${root}/checkpoint`,
    abort: `${root}/abort`,
    javaLock: `${root}/lock`,
    owner: `${root}/skua.owner`,
    dispatchPoint: `${root}/skua.dispatch`,
    suspect: `${root}/skua.suspect`,
    tailCut: `${root}/skua.cut`,
  }
}
