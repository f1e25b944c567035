import type { Disk } from '@skua-mq/runtime'

interface SavedFile {
  readonly path: string
  readonly bytes: Buffer
  /** Behind `bytes` there are zeros up to here. */
  readonly size: number
  readonly modifiedAtMs: number
}

/** What a test's broker held at a moment: see `TestBroker.snapshot`. */
export class Snapshot {
  readonly takenAtMs: number
  private readonly root: string
  private readonly files: readonly SavedFile[]
  private readonly directories: readonly string[]

  constructor(disk: Disk, root: string, takenAtMs: number) {
    this.root = root
    this.takenAtMs = takenAtMs
    const files: SavedFile[] = []
    const directories: string[] = []
    const visit = (path: string) => {
      const stat = disk.stat(path)
      if (stat === undefined) return
      if (!stat.directory) {
        const bytes = withoutZeros(disk.readFile(path))
        files.push({ path, bytes, size: stat.size, modifiedAtMs: stat.modifiedAtMs })
        return
      }
      directories.push(path)
      for (const name of disk.list(path)) visit(`${path}/${name}`)
    }
    visit(root)
    this.files = files
    this.directories = directories
  }

  /** Bytes that it keeps. */
  get bytes(): number {
    return this.files.reduce((sum, { bytes }) => sum + bytes.length, 0)
  }

  /** Puts everything back as it was. Nobody may have any of it open. */
  writeTo(disk: Disk): void {
    disk.remove(this.root)
    for (const path of this.directories) disk.makeDirectory(path)
    for (const { path, bytes, size, modifiedAtMs } of this.files) {
      disk.writeFile(path, bytes)
      const file = disk.open(path, 'write')
      try {
        file.truncateSync(size)
        file.touch(modifiedAtMs)
      } finally {
        file.closeSync()
      }
    }
  }
}

/** Files of a store have their whole length from the beginning; most of it is empty. */
function withoutZeros(bytes: Buffer): Buffer {
  let end = bytes.length
  while (end > 0 && bytes[end - 1] === 0) end--
  return Buffer.from(bytes.subarray(0, end))
}
