export interface FileStat {
  readonly size: number
  readonly modifiedAtMs: number
  readonly directory: boolean
}

export interface DiskSpace {
  readonly totalBytes: number
  /** Taken by somebody. With `usableBytes` less than `totalBytes`: file systems keep some for root. */
  readonly usedBytes: number
  /** What this process may still take. */
  readonly usableBytes: number
}

/** The used share of a disk, 0 to 1, as RocketMQ reckons it: what is kept for root is neither used nor usable (store.md 11). */
export function usedShare({ usedBytes, usableBytes }: DiskSpace): number {
  return usedBytes <= 0 ? 0 : usedBytes / (usedBytes + usableBytes)
}

/** An open file. Positions are absolute; nothing moves a cursor. A short write is an error with code `ESHORTWRITE`. */
export interface DiskFile {
  readonly path: string
  /** Into the page cache, on the calling thread: the hot path. Writes `bytes[start, end)` at `position`. */
  writeSync(bytes: Uint8Array, start: number, end: number, position: number): void
  write(bytes: Uint8Array, start: number, end: number, position: number): Promise<void>
  /** Reads up to `length` bytes into `into` from `at`; returns the count, less only at the end of the file. */
  readSync(into: Uint8Array, at: number, length: number, position: number): number
  read(into: Uint8Array, at: number, length: number, position: number): Promise<number>
  /** fdatasync in the pool; resolves when everything written before the call is on the medium. */
  syncData(): Promise<void>
  syncDataSync(): void
  truncateSync(size: number): void
  size(): number
  /** Sets the modification time; retention and search by time look at it. */
  touch(atMs: number): void
  closeSync(): void
}

export type OpenMode =
  /** Must exist; read only. */
  | 'read'
  /** Must exist; read and write. */
  | 'write'
  /** Read and write; created empty when missing. */
  | 'create'
  /** As 'create', and what is created nobody else may read: it holds secrets. */
  | 'create private'

/** The file system as it is passed in. Errors are `DiskError`s (see error.ts) with the system's code, e.g. ENOENT. */
export interface Disk {
  open(path: string, mode: OpenMode): DiskFile
  /** Undefined when there is nothing. */
  stat(path: string): FileStat | undefined
  /** Names in a directory, sorted by code unit; empty when the directory is missing. */
  list(path: string): readonly string[]
  /** With parents. */
  makeDirectory(path: string): void
  /** A file, or a directory with all in it; nothing there is no error. */
  remove(path: string): void
  rename(from: string, to: string): void
  readFile(path: string): Buffer
  /** Plain write, not atomic: for lock and abort files. */
  writeFile(path: string, bytes: Uint8Array): void
  /** Makes a file with these bytes, both or neither; false, and nothing done, where there is one. */
  createFile(path: string, bytes: Uint8Array): boolean
  /** Makes the names that were created, renamed and removed in this directory survive a power cut. */
  syncDirectory(path: string): void
  /** The same in the pool, for what is done while others wait for the loop. */
  syncDirectoryLater(path: string): Promise<void>
  space(path: string): DiskSpace
}
