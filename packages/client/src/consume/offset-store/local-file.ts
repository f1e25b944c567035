import { localOffsetFile, type MessageQueue } from '@skua-mq/protocol'
import { type Disk, DiskError, makeDirectorySynced } from '@skua-mq/runtime'
import { ClientError } from '../../error.ts'
import { QueueMap } from '../../queue.ts'
import type { OffsetStorage } from './storage.ts'

/**
 * The file of a broadcasting consumer, `<directory>/<clientId>/<group>/offsets.json`, as Java writes and reads it
 * (client.md 9). The former generation stays as `offsets.json.bak` and is taken when the file does not read.
 */
export class LocalFileOffsetStorage implements OffsetStorage {
  private readonly disk: Disk
  private readonly folder: string
  private readonly offsets = new QueueMap<number>()
  private writing: Promise<void> = Promise.resolve()

  constructor(disk: Disk, place: { directory: string; clientId: string; group: string }) {
    this.disk = disk
    this.folder = `${place.directory}/${place.clientId}/${place.group}`
  }

  get path(): string {
    return `${this.folder}/offsets.json`
  }

  async load(): Promise<void> {
    const table = this.readFile(this.path) ?? this.readFile(`${this.path}.bak`)
    for (const [queue, offset] of table ?? []) this.offsets.set(queue, offset)
  }

  async read(queue: MessageQueue): Promise<number | undefined> {
    return this.offsets.get(queue)
  }

  /** One write after the other: two at a time would rename each other's file away. */
  write(offsets: readonly (readonly [MessageQueue, number])[]): Promise<void> {
    for (const [queue, offset] of offsets) this.offsets.set(queue, offset)
    const written = this.writing.then(() => this.writeFile())
    this.writing = written.catch(() => {})
    return written
  }

  private async writeFile(): Promise<void> {
    const bytes = localOffsetFile.encode({ offsetTable: new Map(this.offsets) })
    makeDirectorySynced(this.disk, this.folder)
    const temporary = `${this.path}.tmp`
    const file = this.disk.open(temporary, 'create')
    try {
      file.truncateSync(0)
      file.writeSync(bytes, 0, bytes.length, 0)
      await file.syncData()
    } finally {
      file.closeSync()
    }
    if (this.disk.stat(this.path) !== undefined) this.disk.rename(this.path, `${this.path}.bak`)
    this.disk.rename(temporary, this.path)
    this.disk.syncDirectory(this.folder)
  }

  /** Undefined when there is none, or none that reads: then the other generation is tried. */
  private readFile(path: string): Map<MessageQueue, number> | undefined {
    let bytes: Buffer
    try {
      bytes = this.disk.readFile(path)
    } catch (error) {
      if (error instanceof DiskError && error.code === 'ENOENT') return undefined
      throw error
    }
    try {
      return bytes.length === 0 ? undefined : localOffsetFile.decode(bytes).offsetTable
    } catch (error) {
      if (!path.endsWith('.bak')) return undefined
      throw new ClientError('OFFSET', `neither ${this.path} nor its .bak can be read: repair or remove them`, {
        cause: error,
      })
    }
  }
}
