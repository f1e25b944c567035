import fs from 'node:fs'
import { basename, dirname, extname, join } from 'node:path'

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
 * `broker.log`, with what was before in `otherdays/broker.1.log`, the newest, and so on. Written behind the loop's back: a disk
 * that hangs holds up nobody. What waits at the end of the process is written at once.
 */
export class LogFile {
  readonly path: string
  private readonly fileBytes: number
  private readonly keptFiles: number
  private readonly waitingBytes: number
  private descriptor: number
  private size: number
  private waiting: string[] = []
  private waits = 0
  private leftOut = 0
  private isWriting = false
  /** Written by the pool at the moment: lost only with the process. */
  private underWay = ''

  /** Throws the system's error where the directory or the file cannot be made. */
  constructor(path: string, limits: LogFileLimits = {}) {
    this.path = path
    this.fileBytes = limits.fileBytes ?? maxLogFileBytes
    this.keptFiles = limits.keptFiles ?? keptLogFiles
    this.waitingBytes = limits.waitingBytes ?? maxWaitingBytes
    fs.mkdirSync(dirname(path), { recursive: true })
    this.descriptor = fs.openSync(path, 'a')
    this.size = fs.fstatSync(this.descriptor).size
    process.once('exit', this.writeRest)
  }

  write(line: string): void {
    if (this.waits + line.length > this.waitingBytes) {
      this.leftOut++
      return
    }
    this.waiting.push(line)
    this.waits += line.length + 1
    if (!this.isWriting) this.writeSoon()
  }

  /** Resolves when all lines are in the file. */
  async close(): Promise<void> {
    while (this.isWriting) await new Promise(resolve => setImmediate(resolve))
    process.removeListener('exit', this.writeRest)
    this.writeRest()
    fs.closeSync(this.descriptor)
  }

  private writeSoon(): void {
    this.isWriting = true
    const text = this.taken()
    this.underWay = text
    fs.write(this.descriptor, text, null, 'utf8', (error, written) => {
      // A line that cannot be written is nobody's any more: there is no log to tell it.
      if (!error) this.grown(written)
      this.underWay = ''
      if (this.waiting.length > 0) this.writeSoon()
      else this.isWriting = false
    })
  }

  private taken(): string {
    if (this.leftOut > 0) this.waiting.push(`${this.leftOut} lines are left out: the disk did not take them`)
    const text = this.waiting.map(line => `${line}\n`).join('')
    this.waiting = []
    this.waits = 0
    this.leftOut = 0
    return text
  }

  private grown(bytes: number): void {
    this.size += bytes
    if (this.size < this.fileBytes) return
    try {
      this.putAway()
    } catch {
      // It grows on, and is tried again with the next line.
    }
  }

  private putAway(): void {
    const extension = extname(this.path)
    const name = basename(this.path, extension)
    const others = join(dirname(this.path), 'otherdays')
    const at = (number: number) => join(others, `${name}.${number}${extension}`)
    fs.mkdirSync(others, { recursive: true })
    fs.rmSync(at(this.keptFiles), { force: true })
    for (let number = this.keptFiles - 1; number >= 1; number--)
      if (fs.existsSync(at(number))) fs.renameSync(at(number), at(number + 1))
    fs.renameSync(this.path, at(1))
    const next = fs.openSync(this.path, 'a')
    fs.closeSync(this.descriptor)
    this.descriptor = next
    this.size = 0
  }

  private readonly writeRest = () => {
    const text = this.underWay + this.taken()
    if (text === '') return
    try {
      fs.writeSync(this.descriptor, text)
    } catch {
      // The process ends.
    }
  }
}
