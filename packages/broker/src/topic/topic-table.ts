import {
  type Dialect,
  dialectOf,
  isSystemTopic,
  Perm,
  retryPrefix,
  type TopicConfig,
  type TopicConfigTable,
  templateTopic,
} from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events, Failure } from '@skua-mq/runtime'
import { OpenChanges } from '../persist/open-changes.ts'
import { SaveSoon } from '../persist/save-soon.ts'
import { type TableFile, TableVersion } from '../persist/table-file.ts'
import { refusedTopic, type TopicRefusal } from './names.ts'
import { systemTopics, type TopicSettings } from './system-topics.ts'
import { topicConfig } from './topic-config.ts'

export const topicCreated = defineEvent<{ topic: string; queues: number; perm: number; why: string }>(
  'topic created',
  'info',
)
export const topicDeleted = defineEvent<{ topic: string }>('topic deleted', 'info')

export interface TopicTableParts {
  readonly clock: Pick<Clock, 'now' | 'after' | 'monotonic'>
  readonly events: Events
  readonly file: TableFile<TopicConfigTable>
  readonly settings: TopicSettings
  /** Default: 4.9. */
  readonly dialect?: Dialect
}

/** Bits of topicSysFlag (remoting.md 14.3). */
const unit = 1
const unitSub = 2

/** What a broker knows of its topics, kept in config/topics.json, which is written after each change. */
export class TopicTable {
  readonly version: TableVersion
  /** There was no file. */
  isNew = false
  private readonly dialect: Dialect
  private readonly topics = new Map<string, TopicConfig>()
  /** Those that are being deleted: the file has them no more, or will not in a moment. */
  private readonly ending = new Map<string, Promise<boolean>>()
  /** Topics which the broker makes itself at each start. */
  private readonly made = new Set<string>()
  private readonly parts: TopicTableParts
  private readonly listeners: (() => void)[] = []
  private readonly soon: SaveSoon
  private readonly open = new OpenChanges<TopicConfig>()

  constructor(parts: TopicTableParts) {
    this.parts = parts
    this.dialect = parts.dialect ?? dialectOf()
    this.version = new TableVersion(this.dialect)
    this.soon = new SaveSoon(parts.clock, () => parts.file.saveLater(this.table()))
  }

  /**
   * Reads the file, then adds the system topics of store.md 5.4 which it lacks. TBW102 alone follows the configuration
   * and not the file: what an earlier start allowed must not go on creating topics.
   */
  load(): void {
    const { settings, file, clock } = this.parts
    const saved = file.load()
    this.isNew = saved === undefined
    for (const [name, config] of saved?.topicConfigTable ?? []) this.enter({ ...config, topicName: name })
    if (saved !== undefined) this.version.read(saved.dataVersion)
    let changed = !settings.autoCreateTopicEnable && this.topics.delete(templateTopic)
    for (const config of systemTopics(settings)) {
      this.made.add(config.topicName)
      const known = this.topics.get(config.topicName)
      const stays = config.topicName !== templateTopic || known?.writeQueueNums === config.writeQueueNums
      if (known !== undefined && stays) continue
      this.enter(config)
      changed = true
    }
    // A name server that remembers this broker compares versions: another table is another version.
    if (changed) this.version.next(clock.now())
  }

  find(topic: string): TopicConfig | undefined {
    return this.topics.get(topic)
  }

  get size(): number {
    return this.topics.size
  }

  all(): readonly TopicConfig[] {
    return [...this.table().topicConfigTable.values()]
  }

  /** A broker without the write or read bit registers its topics without it (store.md 11, brokerPermission). */
  *eachWith(brokerPermission: number): Generator<TopicConfig> {
    const bits = brokerPermission | Perm.inherit
    for (const topic of this.table().topicConfigTable.values()) yield { ...topic, perm: topic.perm & bits }
  }

  /** Topics that no tool may change or delete. */
  isSystem(topic: string): boolean {
    return this.made.has(topic) || isSystemTopic(topic) || topic === this.parts.settings.msgTraceTopicName
  }

  systemTopicNames(): readonly string[] {
    return [...new Set([...this.made, ...this.topics.keys()].filter(topic => this.isSystem(topic)))]
  }

  refused(topic: string): TopicRefusal | undefined {
    return refusedTopic(topic, this.dialect, this.parts.settings)
  }

  /** 17. On disk when it resolves; rejects with ETABLE when it could not be brought there, and is not taken then. */
  async put(config: TopicConfig, why: string): Promise<void> {
    // A topic of this name that is being deleted takes its messages with it; this one begins behind that.
    await this.ending.get(config.topicName)?.catch(() => {})
    const known = this.topics.get(config.topicName)
    await this.change(new Map([[config.topicName, this.dressed({ ...known, ...config })]]))
    if (known === undefined)
      this.parts.events.emit(
        topicCreated({ topic: config.topicName, queues: config.writeQueueNums, perm: config.perm, why }),
      )
  }

  /** A topic that the broker needs: as it is, or made with these queues. */
  ensure(topic: string, queues: number, why: string, topicSysFlag = 0): TopicConfig {
    const known = this.topics.get(topic)
    if (known !== undefined) return known
    return this.make({ ...topicConfig(topic, queues), topicSysFlag }, why)
  }

  /**
   * Auto-creation at a send (remoting.md 9.3): from the template, when there is one with the inherit bit; a retry topic
   * also without. Undefined where nothing may be created.
   */
  createFor(send: {
    topic: string
    defaultTopic: string
    queueNums: number
    unitMode: boolean
  }): TopicConfig | undefined {
    const { topic } = send
    if (this.topics.size >= this.parts.settings.maxAutoCreatedTopics) return undefined
    if (topic.startsWith(retryPrefix)) return this.ensure(topic, 1, 'sent to', send.unitMode ? unitSub : 0)
    const template = this.topics.get(send.defaultTopic)
    if (template === undefined || (template.perm & Perm.inherit) === 0) return undefined
    const queues = Math.max(1, Math.min(send.queueNums, template.writeQueueNums))
    const config: TopicConfig = {
      ...topicConfig(topic, queues, template.perm & ~Perm.inherit),
      topicFilterType: template.topicFilterType,
      topicSysFlag: send.unitMode ? unit : 0,
    }
    return this.make(config, `sent to, from the template ${send.defaultTopic}`)
  }

  /**
   * Resolves when the topics that are there now are on disk, or could not be brought there, which is an event. Topics
   * which the broker makes are saved together: thousands of them must not stop the loop for a synced file each.
   */
  settled(): Promise<void> {
    return this.soon.settled()
  }

  private make(made: TopicConfig, why: string): TopicConfig {
    const config = this.enter(made)
    this.version.next(this.parts.clock.now())
    this.parts.events.emit(
      topicCreated({ topic: config.topicName, queues: config.writeQueueNums, perm: config.perm, why }),
    )
    // At once, beside the save: consumers ask for the route of a retry topic within milliseconds.
    this.changed()
    this.soon.owe()
    return config
  }

  /**
   * False when there was none. As `put`, but the topic stays until it is gone from the disk: one that goes before would be
   * made again by the next send, and lose what it then stores. `gone` runs in the moment in which it goes.
   */
  async delete(topic: string, gone: () => void = () => {}): Promise<boolean> {
    if (!this.topics.has(topic)) {
      gone()
      return false
    }
    const begun = this.ending.get(topic)
    if (begun !== undefined) return begun
    const end = this.end(topic, gone).finally(() => {
      this.ending.delete(topic)
      // Where it could not be deleted, the file may be without it all the same.
      if (this.topics.has(topic)) this.soon.owe()
    })
    this.ending.set(topic, end)
    return end
  }

  private async end(topic: string, gone: () => void): Promise<boolean> {
    this.version.next(this.parts.clock.now())
    // The save begins when this topic stands in `ending`.
    await Promise.resolve()
    if (!(await this.soon.ask())) {
      // Slaves may have taken the table without it.
      this.version.next(this.parts.clock.now())
      throw notWritten()
    }
    this.topics.delete(topic)
    this.parts.events.emit(topicDeleted({ topic }))
    try {
      gone()
    } finally {
      this.changed()
    }
    return true
  }

  /** The topics that the name servers hold for ordered are ordered, no others. */
  async setOrdered(names: ReadonlySet<string>): Promise<void> {
    const wrong = this.all().filter(config => config.order !== names.has(config.topicName))
    if (wrong.length === 0) return
    await this.change(new Map(wrong.map(config => [config.topicName, { ...config, order: !config.order }])))
  }

  /** A slave takes its master's table. */
  replace(table: TopicConfigTable): void {
    if (this.version.equals(table.dataVersion)) return
    this.open.forget()
    this.topics.clear()
    for (const [name, config] of table.topicConfigTable) this.enter({ ...config, topicName: name })
    this.version.read(table.dataVersion)
    this.changed()
    this.soon.owe()
  }

  /** What the name servers are told of the topics changed though the table did not (brokerPermission). */
  touch(): void {
    this.version.next(this.parts.clock.now())
    this.changed()
    this.soon.owe()
  }

  /** autoCreateTopicEnable was changed: the template comes or goes. */
  followTemplate(): void {
    const template = systemTopics(this.parts.settings).find(({ topicName }) => topicName === templateTopic)
    if (template === undefined) this.topics.delete(templateTopic)
    else if (!this.topics.has(templateTopic)) this.enter(template)
    this.touch()
  }

  /** With the members that the dialect wants in every configuration. */
  private enter(config: TopicConfig): TopicConfig {
    const entered = this.dressed(config)
    this.topics.set(config.topicName, entered)
    return entered
  }

  private dressed(config: TopicConfig): TopicConfig {
    if (!this.dialect.configHasAttributes || config.attributes !== undefined) return config
    return { ...config, attributes: new Map() }
  }

  private changed(): void {
    for (const listener of this.listeners) listener()
  }

  /** Runs after each change. Of a topic that the broker makes the name servers may hear before the disk does. */
  onChange(listener: () => void): void {
    this.listeners.push(listener)
  }

  stop(): void {
    this.soon.stop()
    this.save()
  }

  /** At once; an error is an event. */
  save(): void {
    this.parts.file.saveAtStop(this.table())
  }

  /** 21, and the file. */
  table(): TopicConfigTable {
    const { topics, ending } = this
    const left = ending.size === 0 ? topics : new Map([...topics].filter(([name]) => !ending.has(name)))
    return { dataVersion: this.version.toJSON(), topicConfigTable: left }
  }

  /**
   * Changes entries. What cannot be saved is not taken: nobody is told of a topic that the next
   * start would not know. Many share one save, and each goes back by itself.
   */
  private async change(entries: ReadonlyMap<string, TopicConfig>): Promise<void> {
    const changes = [...entries].map(([name, value]) => this.open.begin(name, { before: this.topics.get(name), value }))
    this.set(entries)
    this.version.next(this.parts.clock.now())
    if (!(await this.soon.ask())) {
      for (const change of changes) {
        const { key } = change
        this.set([[key, this.open.refused(change, this.topics.get(key))]])
      }
      this.version.next(this.parts.clock.now())
      // The last of a save's steps may have failed, with the file in its place.
      this.soon.owe()
      throw notWritten()
    }
    for (const change of changes) this.open.saved(change)
    this.changed()
  }

  private set(entries: Iterable<readonly [string, TopicConfig | undefined]>): void {
    for (const [name, config] of entries) {
      if (config === undefined) this.topics.delete(name)
      else this.topics.set(name, config)
    }
  }
}

const notWritten = () => new Failure('ETABLE', 'topics.json could not be written; the log of the broker says why')
