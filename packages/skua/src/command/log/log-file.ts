import { type Disk, type DiskFile, parentOf } from '@skua-mq/runtime'

/** As Apache's logback configurations of broker and name server: a file of 128 MiB is put away, and 20 are kept. */
export const maxLogFileBytes = 128 * 1024 * 1024
export const keptLogFiles = 20

/** Lines that wait for a disk; more are left out, and counted. */
export const maxWaitingBytes = 4 * 1024 * 1024

export interface LogFileLimits {
  readonly fileBytes?: number
  readonly keptFiles?: number
  readonly waitingBytes?: number
}

/**
 * `broker.log`, with what was before in `otherdays/broker.1.log`, the newest, and so on. Written in the pool: a disk that hangs
 * holds up nobody. What waits at the end of the process is written at once.
 */
export class LogFile {
  private readonly disk: Disk
  private readonly path: string
  private readonly fileBytes: number
  private readonly keptFiles: number
  private readonly waitingBytes: number
  private file: DiskFile
  private size: number
  private waiting: string[] = []
  private waits = 0
  private leftOut = 0
  private writing: Promise<void> | undefined
  /** In the hands of the pool at the moment: lost only with the process. */
  private underWay = Buffer.alloc(0)

  /** Throws DiskError where the directory or the file cannot be made. */
  constructor(path: string, disk: Disk, limits: LogFileLimits = {}) {
    this.path = path
    this.disk = disk
    this.fileBytes = limits.fileBytes ?? maxLogFileBytes
    this.keptFiles = limits.keptFiles ?? keptLogFiles
    this.waitingBytes = limits.waitingBytes ?? maxWaitingBytes
    disk.makeDirectory(parentOf(path))
    this.file = disk.open(path, 'create')
    this.size = this.file.size()
  }

  write(line: string): void {
    if (this.waits + line.length > this.waitingBytes) {
      this.leftOut++
      return
    }
    this.waiting.push(line)
    this.waits += line.length + 1
    this.writing ??= this.writeAll().finally(() => {
      this.writing = undefined
    })
  }

  /** Resolves when all lines are in the file. */
  async close(): Promise<void> {
    await this.writing
    this.file.closeSync()
  }

  /** For the end of the process: what the pool has not written yet is written again. */
  writeRest(): void {
    const bytes = Buffer.concat([this.underWay, this.taken()])
    if (bytes.length === 0) return
    try {
      this.file.writeSync(bytes, 0, bytes.length, this.size)
    } catch {
      // There is no log to tell it.
    }
  }

  private async writeAll(): Promise<void> {
    while (this.waiting.length > 0) {
      const bytes = this.taken()
      this.underWay = bytes
      try {
        await this.file.write(bytes, 0, bytes.length, this.size)
        this.size += bytes.length
        if (this.size >= this.fileBytes) this.putAway()
      } catch {
        // These lines are lost: there is no log to tell it. The next ones are tried again.
      }
      this.underWay = Buffer.alloc(0)
    }
  }

  private taken(): Buffer<ArrayBuffer> {
    if (this.leftOut > 0) this.waiting.push(`${this.leftOut} lines are left out: the disk did not take them`)
    const text = this.waiting.map(line => `${line}\n`).join('')
    this.waiting = []
    this.waits = 0
    this.leftOut = 0
    return Buffer.from(text)
  }

  /** Throws DiskError; it grows on then. */
  private putAway(): void {
    const { disk, path, keptFiles } = this
    const others = `${parentOf(path)}/otherdays`
    const name = path.slice(parentOf(path).length + 1).replace(/\.log$/, '')
    const at = (number: number) => `${others}/${name}.${number}.log`
    disk.makeDirectory(others)
    disk.remove(at(keptFiles))
    for (let number = keptFiles - 1; number >= 1; number--)
      if (disk.stat(at(number)) !== undefined) disk.rename(at(number), at(number + 1))
    disk.rename(path, at(1))
    const next = disk.open(path, 'create')
    this.file.closeSync()
    this.file = next
    this.size = 0
  }
}
