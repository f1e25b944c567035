import { type Disk, type DiskFile, NodeDisk } from '@skua-mq/runtime'
import { ClientError } from '../error.ts'
import { type MemoryIdempotentOptions, MemoryIdempotentStore } from './memory-store.ts'
import type { IdempotentStore } from './store.ts'

/** Lines in the file beyond the remembered keys, after which it is written anew. */
const slackLines = 10_000

/** For one process at a time, over restarts: a file with one line per handled key. */
export class FileIdempotentStore implements IdempotentStore {
  private readonly path: string
  private readonly disk: Disk
  private readonly memory: MemoryIdempotentStore
  private file: DiskFile | undefined
  private size = 0
  private lines = 0
  /** A line could not be written: the next one brings it along. */
  private isBehind = false

  constructor(path: string, options: MemoryIdempotentOptions & { readonly disk?: Disk } = {}) {
    this.path = path
    this.disk = options.disk ?? new NodeDisk()
    this.memory = new MemoryIdempotentStore(options)
  }

  async begin(key: string): Promise<'new' | 'done' | 'running'> {
    if (/[\n\t]/.test(key)) throw new ClientError('ARGUMENT', 'a key may hold neither tab nor line feed')
    this.open()
    return this.memory.begin(key)
  }

  /** Written before the message is acknowledged; the system's crash may lose the last ones, and they come again. */
  async done(key: string): Promise<void> {
    await this.memory.done(key)
    const wasBehind = this.isBehind
    this.isBehind = true
    this.open()
    if (wasBehind || this.lines > this.memory.size + slackLines) this.rewrite()
    else this.append(this.lineOf([key, this.memory.doneAtMs(key)]))
    this.isBehind = false
  }

  async failed(key: string): Promise<void> {
    await this.memory.failed(key)
  }

  close(): void {
    this.file?.closeSync()
    this.file = undefined
  }

  private open(): void {
    if (this.file !== undefined) return
    const text = this.disk.stat(this.path) === undefined ? '' : this.disk.readFile(this.path).toString('utf8')
    // A last line without its end was torn by a crash.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    for (const line of whole.split('\n')) {
      const [at, key] = line.split('\t')
      if (key !== undefined) this.memory.remember(key, Number(at))
    }
    this.size = Buffer.byteLength(whole)
    this.lines = whole.split('\n').length - 1
    const file = this.disk.open(this.path, 'create')
    try {
      file.truncateSync(this.size)
    } catch (error) {
      file.closeSync()
      throw error
    }
    this.file = file
  }

  private lineOf([key, at]: readonly [string, number]): string {
    return `${at}\t${key}\n`
  }

  private append(text: string): void {
    const bytes = Buffer.from(text)
    this.file!.writeSync(bytes, 0, bytes.length, this.size)
    this.size += bytes.length
    this.lines++
  }

  /** What memory has, in a file of its own until it is on the medium. */
  private rewrite(): void {
    const temporary = `${this.path}.tmp`
    const entries = [...this.memory.entries()]
    const bytes = Buffer.from(entries.map(entry => this.lineOf(entry)).join(''))
    const file = this.disk.open(temporary, 'create')
    try {
      file.truncateSync(0)
      file.writeSync(bytes, 0, bytes.length, 0)
      file.syncDataSync()
      this.disk.rename(temporary, this.path)
    } catch (error) {
      file.closeSync()
      throw error
    }
    this.close()
    this.file = file
    this.size = bytes.length
    this.lines = entries.length
  }
}
