import { jsonBody, shape } from '@skua-mq/protocol'
import { ConfigFile, type Disk, type Events } from '@skua-mq/runtime'

/** The namespace that holds the queue lists of order topics. */
export const orderTopicNamespace = 'ORDER_TOPIC_CONFIG'

/** kvConfig.json (store.md 11): namespace to key to value. */
const kvConfigFile = jsonBody(shape.bean({ configTable: shape.table(shape.table(shape.string)) }))

export interface KvConfigParts {
  readonly disk: Disk
  readonly events: Events
  readonly path: string
}

/** Namespaces of keys and values (100, 101, 102, 219), written to kvConfig.json at each change. */
export class KvConfig {
  private readonly table = new Map<string, Map<string, string>>()
  private readonly file: ConfigFile

  constructor(parts: KvConfigParts) {
    this.file = new ConfigFile(parts.path, parts)
  }

  /** Nothing on disk is an empty table. Throws ECONFIG when a file is there and no generation can be read. */
  load(): void {
    const found = this.file.load(bytes => kvConfigFile.decode(bytes).configTable)
    for (const [namespace, entries] of found ?? []) this.table.set(namespace, new Map(entries))
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
    this.file.save(kvConfigFile.encode({ configTable: new Map(this.table).set(namespace, entries) }))
    this.table.set(namespace, entries)
  }
}
