import { jsonBody, shape } from '@skua-mq/protocol'
import { ConfigFile, type Disk, type Events } from '@skua-mq/runtime'

/** The namespace that holds the queue lists of order topics. */
export const orderTopicNamespace = 'ORDER_TOPIC_CONFIG'

/** kvConfig.json (store.md 11): namespace to key to value. */
const kvConfigFile = jsonBody(shape.bean({ configTable: shape.table(shape.table(shape.string)) }))

type Table = ReadonlyMap<string, ReadonlyMap<string, string>>

export interface KvConfigParts {
  readonly disk: Disk
  readonly events: Events
  readonly path: string
  /** maxKvBytes; default: none */
  readonly maxBytes?: number
}

interface Change {
  readonly namespace: string
  readonly key: string
  /** Undefined: the key goes. */
  readonly value: string | undefined
  /** What it adds to the table. */
  readonly bytes: number
}

/** Changes that are saved together. */
interface Batch {
  readonly changes: Change[]
  readonly saved: Promise<void>
}

/**
 * Namespaces of keys and values (100, 101, 102, 219), in kvConfig.json. Changes that come while one is written are
 * written together after it; each is seen by readers when it is on disk.
 */
export class KvConfig {
  private table: Table = new Map()
  private bytes = 0
  private readonly file: ConfigFile
  private readonly maxBytes: number
  private next: Batch | undefined
  private writing: readonly Change[] = []
  private saving: Promise<void> = Promise.resolve()

  constructor(parts: KvConfigParts) {
    this.file = new ConfigFile(parts.path, parts)
    this.maxBytes = parts.maxBytes ?? Number.POSITIVE_INFINITY
  }

  /** Nothing on disk is an empty table. Throws ECONFIG when a file is there and no generation can be read. */
  load(): void {
    this.table = this.file.load(bytes => kvConfigFile.decode(bytes).configTable) ?? new Map()
    this.bytes = bytesOf(this.table)
  }

  /** Resolves when nothing is being written. */
  async settled(): Promise<void> {
    await this.saving.catch(() => {})
  }

  get(namespace: string, key: string): string | undefined {
    return this.table.get(namespace)?.get(key)
  }

  namespace(namespace: string): ReadonlyMap<string, string> | undefined {
    return this.table.get(namespace)
  }

  /** On disk when it resolves. Rejects with DiskError, and then the table is what it was; with RangeError above maxKvBytes. */
  put(namespace: string, key: string, value: string): Promise<void> {
    const size = (this.table.has(namespace) ? 0 : namespace.length) + key.length + value.length
    const freed = this.get(namespace, key) === undefined ? 0 : key.length + this.get(namespace, key)!.length
    if (this.bytes + size - freed > this.maxBytes) {
      const remark = `the KV configuration has ${this.bytes} characters, and ${size} more are too many: maxKvBytes is ${this.maxBytes}`
      return Promise.reject(new RangeError(remark))
    }
    // Counted when it is asked for: a hundred that are on their way together are bounded, too.
    this.bytes += size - freed
    return this.change({ namespace, key, value, bytes: size - freed })
  }

  delete(namespace: string, key: string): Promise<void> {
    // One that is on its way to the disk is not in the table yet.
    const coming = [...this.writing, ...(this.next?.changes ?? [])]
    const isComing = coming.some(change => change.namespace === namespace && change.key === key)
    if (this.get(namespace, key) === undefined && !isComing) return Promise.resolve()
    return this.change({ namespace, key, value: undefined, bytes: 0 })
  }

  /** What waits behind the changes that are being written adds so much. */
  private get comingBytes(): number {
    return (this.next?.changes ?? []).reduce((sum, { bytes }) => sum + bytes, 0)
  }

  private change(change: Change): Promise<void> {
    this.next ??= this.batch()
    this.next.changes.push(change)
    return this.next.saved
  }

  private batch(): Batch {
    const changes: Change[] = []
    const saved = this.saving
      .catch(() => {})
      .then(async () => {
        this.next = undefined
        this.writing = changes
        try {
          const table = changed(this.table, changes)
          await this.file.saveLater([kvConfigFile.encode({ configTable: table as Map<string, Map<string, string>> })])
          this.table = table
        } finally {
          this.writing = []
          this.bytes = bytesOf(this.table) + this.comingBytes
        }
      })
    this.saving = saved
    // Whoever asked gets the error; here only the order of the writes matters.
    saved.catch(() => {})
    return { changes, saved }
  }
}

function changed(table: Table, changes: readonly Change[]): Table {
  const copy = new Map(table)
  const copied = new Set<string>()
  for (const { namespace, key, value } of changes) {
    if (!copied.has(namespace)) copy.set(namespace, new Map(table.get(namespace)))
    copied.add(namespace)
    const entries = copy.get(namespace) as Map<string, string>
    if (value === undefined) entries.delete(key)
    else entries.set(key, value)
  }
  return copy
}

function bytesOf(table: Table): number {
  let sum = 0
  for (const [namespace, entries] of table) {
    sum += namespace.length
    for (const [key, value] of entries) sum += key.length + value.length
  }
  return sum
}
