import { jsonBody, shape } from '@skua-mq/protocol'
import { type Disk, defineEvent, type Events, Failure } from '@skua-mq/runtime'

/** The namespace that holds the queue lists of order topics. */
export const orderTopicNamespace = 'ORDER_TOPIC_CONFIG'

export const kvConfigDamaged = defineEvent<{ path: string; reason: string; usedInstead: string }>(
  'KV configuration is damaged, its previous generation is used',
  'warn',
)

/** kvConfig.json (store.md 11): namespace to key to value. */
const kvConfigFile = jsonBody(shape.bean({ configTable: shape.table(shape.table(shape.string)) }))

export interface KvConfigParts {
  readonly disk: Disk
  readonly events: Events
  readonly path: string
}

/**
 * Namespaces of keys and values (100, 101, 102, 219), written to kvConfig.json at each change. The former generation
 * stays beside it as `.bak`, so that at every moment one of the two is whole.
 */
export class KvConfig {
  private readonly table = new Map<string, Map<string, string>>()
  private readonly parts: KvConfigParts
  /** The newest generation could not be read: it must not take the place of a good `.bak`. */
  private isDamaged = false

  constructor(parts: KvConfigParts) {
    this.parts = parts
  }

  /** Nothing on disk is an empty table. Throws ECONFIG when a file is there and no generation can be read. */
  load(): void {
    const { path, events } = this.parts
    const newest = this.read(path)
    const former = newest.table === undefined ? this.read(`${path}.bak`) : newest
    if (former.table === undefined) {
      const problem = newest.problem ?? former.problem
      if (problem === undefined) return
      throw new Failure('ECONFIG', `${path} and its .bak cannot be read: ${problem}`)
    }
    if (former !== newest) {
      this.isDamaged = newest.problem !== undefined
      events.emit(kvConfigDamaged({ path, reason: newest.problem ?? 'missing', usedInstead: `${path}.bak` }))
    }
    for (const [namespace, entries] of former.table) this.table.set(namespace, new Map(entries))
  }

  get(namespace: string, key: string): string | undefined {
    return this.table.get(namespace)?.get(key)
  }

  namespace(namespace: string): ReadonlyMap<string, string> | undefined {
    return this.table.get(namespace)
  }

  /** On disk when it returns. Throws DiskError, and then holds what it held. */
  put(namespace: string, key: string, value: string): void {
    const entries = this.table.get(namespace) ?? new Map<string, string>()
    this.replace(namespace, new Map(entries).set(key, value))
  }

  delete(namespace: string, key: string): void {
    const entries = new Map(this.table.get(namespace) ?? [])
    if (entries.delete(key)) this.replace(namespace, entries)
  }

  private replace(namespace: string, entries: Map<string, string>): void {
    this.save(new Map(this.table).set(namespace, entries))
    this.table.set(namespace, entries)
  }

  private save(configTable: Map<string, Map<string, string>>): void {
    const { disk, path } = this.parts
    const directory = parentOf(path)
    if (disk.stat(directory) === undefined) {
      disk.makeDirectory(directory)
      disk.syncDirectory(parentOf(directory))
    }
    this.writeSynced(`${path}.tmp`, kvConfigFile.encode({ configTable }))
    if (!this.isDamaged && (disk.stat(path)?.size ?? 0) > 0) {
      this.writeSynced(`${path}.bak.tmp`, disk.readFile(path))
      disk.rename(`${path}.bak.tmp`, `${path}.bak`)
    }
    disk.rename(`${path}.tmp`, path)
    this.isDamaged = false
    disk.syncDirectory(directory)
  }

  private writeSynced(path: string, bytes: Uint8Array): void {
    const file = this.parts.disk.open(path, 'create')
    try {
      file.truncateSync(0)
      file.writeSync(bytes, 0, bytes.length, 0)
      file.syncDataSync()
    } finally {
      file.closeSync()
    }
  }

  private read(path: string): { table?: Map<string, Map<string, string>>; problem?: string } {
    const { disk } = this.parts
    if (disk.stat(path) === undefined) return {}
    const bytes = disk.readFile(path)
    if (bytes.length === 0) return { problem: `${path} is empty` }
    try {
      return { table: kvConfigFile.decode(bytes).configTable }
    } catch (error) {
      return { problem: `${path}: ${(error as Error).message}` }
    }
  }
}

function parentOf(path: string): string {
  const at = path.lastIndexOf('/')
  return at < 0 ? '.' : path.slice(0, at) || '/'
}
