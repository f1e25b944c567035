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
    this.append(this.lineOf([key, this.memory.doneAtMs(key)]))
    if (this.lines > this.memory.size + slackLines) this.rewrite()
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
    this.file = this.disk.open(this.path, 'create')
    const text = this.disk.readFile(this.path).toString('utf8')
    // A last line without its end was torn by a crash.
    const whole = text.slice(0, text.lastIndexOf('\n') + 1)
    for (const line of whole.split('\n')) {
      const [at, key] = line.split('\t')
      if (key !== undefined) this.memory.remember(key, Number(at))
    }
    this.size = Buffer.byteLength(whole)
    this.lines = whole.split('\n').length - 1
    this.file.truncateSync(this.size)
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

  private rewrite(): void {
    const temporary = `${this.path}.tmp`
    const entries = [...this.memory.entries()]
    const bytes = Buffer.from(entries.map(entry => this.lineOf(entry)).join(''))
    this.disk.writeFile(temporary, bytes)
    this.close()
    this.disk.rename(temporary, this.path)
    this.file = this.disk.open(this.path, 'create')
    this.size = bytes.length
    this.lines = entries.length
  }
}
