import { parseJavaJson, printJavaJson } from '@skua-mq/protocol'
import type { Disk } from '@skua-mq/runtime'

/** The namespace that holds the queue lists of order topics. */
export const orderTopicNamespace = 'ORDER_TOPIC_CONFIG'

/** Namespaces of keys and values (100, 101, 102, 219), written to kvConfig.json at each change. */
export class KvConfig {
  private readonly table = new Map<string, Map<string, string>>()
  private readonly disk: Disk
  private readonly path: string

  constructor(disk: Disk, path: string) {
    this.disk = disk
    this.path = path
  }

  load(): void {
    const text = [this.path, `${this.path}.bak`].find(path => (this.disk.stat(path)?.size ?? 0) > 0)
    if (text === undefined) return
    const saved = parseJavaJson(this.disk.readFile(text)) as { configTable?: Record<string, Record<string, string>> }
    for (const [namespace, entries] of Object.entries(saved.configTable ?? {}))
      this.table.set(namespace, new Map(Object.entries(entries)))
  }

  get(namespace: string, key: string): string | undefined {
    return this.table.get(namespace)?.get(key)
  }

  namespace(namespace: string): ReadonlyMap<string, string> | undefined {
    return this.table.get(namespace)
  }

  put(namespace: string, key: string, value: string): void {
    const entries = this.table.get(namespace) ?? new Map<string, string>()
    entries.set(key, value)
    this.table.set(namespace, entries)
    this.save()
  }

  delete(namespace: string, key: string): void {
    if (this.table.get(namespace)?.delete(key)) this.save()
  }

  /** Written beside, synced, then renamed: a crash leaves the old or the new one. */
  private save(): void {
    const { disk, path } = this
    const directory = path.slice(0, Math.max(0, path.lastIndexOf('/')))
    if (directory !== '') disk.makeDirectory(directory)
    const bytes = Buffer.from(printJavaJson({ configTable: this.table }, { style: 'file' }))
    const file = disk.open(`${path}.tmp`, 'create')
    try {
      file.truncateSync(0)
      file.writeSync(bytes, 0, bytes.length, 0)
      file.syncDataSync()
    } finally {
      file.closeSync()
    }
    if (disk.stat(path) !== undefined) disk.rename(path, `${path}.bak`)
    disk.rename(`${path}.tmp`, path)
  }
}
