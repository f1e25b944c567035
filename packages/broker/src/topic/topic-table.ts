import type { TopicConfig } from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events } from '@skua-mq/runtime'
import { type TableFile, TableVersion } from '../persist/table-file.ts'
import { deadLetterPrefix, illegalTopicToSend, retryPrefix } from './names.ts'

export const topicCreated = defineEvent<{ topic: string; queues: number; perm: number; why: string }>(
  'topic created',
  'info',
)
export const topicDeleted = defineEvent<{ topic: string }>('topic deleted', 'info')

export const Perm = { priority: 8, read: 4, write: 2, inherit: 1 } as const

export const templateTopic = 'TBW102'

export interface TopicTableParts {
  readonly clock: Pick<Clock, 'now'>
  readonly events: Events
  readonly file: TableFile
  readonly settings: TopicSettings
}

export interface TopicSettings {
  readonly brokerClusterName: string
  readonly brokerName: string
  readonly autoCreateTopicEnable: boolean
  readonly defaultTopicQueueNums: number
  readonly clusterTopicEnable: boolean
  readonly brokerTopicEnable: boolean
  readonly traceTopicEnable: boolean
  readonly msgTraceTopicName: string
}

export function topicConfig(topicName: string, queues: number, perm: number = Perm.read | Perm.write): TopicConfig {
  return {
    topicName,
    readQueueNums: queues,
    writeQueueNums: queues,
    perm,
    topicFilterType: 'SINGLE_TAG',
    topicSysFlag: 0,
    order: false,
  }
}

/** What a broker knows of its topics, kept in config/topics.json. */
export class TopicTable {
  readonly version = new TableVersion()
  private readonly topics = new Map<string, TopicConfig>()
  /** Topics which the broker makes itself at each start; they may not be deleted. */
  private readonly system = new Set<string>()
  private readonly parts: TopicTableParts
  private readonly listeners: (() => void)[] = []

  constructor(parts: TopicTableParts) {
    this.parts = parts
  }

  /** Reads the file, then adds the system topics of store.md 5.4 which it lacks. */
  load(): void {
    const saved = this.parts.file.load()
    if (saved !== undefined) {
      const table = (saved['topicConfigTable'] ?? {}) as Record<string, Partial<TopicConfig>>
      for (const [name, config] of Object.entries(table))
        this.topics.set(name, { ...topicConfig(name, 16), ...config, topicName: name })
      this.version.read(saved['dataVersion'])
    }
    for (const config of systemTopics(this.parts.settings)) {
      this.system.add(config.topicName)
      // The template follows the configuration; the others are only made when missing.
      if (!this.topics.has(config.topicName) || config.topicName === templateTopic)
        this.topics.set(config.topicName, config)
    }
    if (!this.parts.settings.autoCreateTopicEnable) this.topics.delete(templateTopic)
  }

  find(topic: string): TopicConfig | undefined {
    return this.topics.get(topic)
  }

  all(): readonly TopicConfig[] {
    return [...this.topics.values()]
  }

  isSystem(topic: string): boolean {
    return this.system.has(topic)
  }

  systemTopicNames(): readonly string[] {
    return [...this.system]
  }

  illegal(topic: string): string | undefined {
    return illegalTopicToSend(topic)
  }

  /** 17, and whatever the broker needs for itself. */
  put(config: TopicConfig, why: string): void {
    const fresh = !this.topics.has(config.topicName)
    this.topics.set(config.topicName, config)
    if (fresh)
      this.parts.events.emit(
        topicCreated({ topic: config.topicName, queues: config.writeQueueNums, perm: config.perm, why }),
      )
    this.changed()
  }

  /** A topic that the broker needs: as it is, or made with these queues. */
  ensure(topic: string, queues: number, why: string): TopicConfig {
    const known = this.topics.get(topic)
    if (known !== undefined) return known
    const config = topicConfig(topic, queues)
    this.put(config, why)
    return config
  }

  /** Auto-creation at a send (remoting.md 9.3). Retry and dead letter topics need no template. */
  createFor(send: {
    topic: string
    defaultTopic: string
    queueNums: number
    unitMode: boolean
  }): TopicConfig | undefined {
    const { topic } = send
    if (topic.startsWith(retryPrefix) || topic.startsWith(deadLetterPrefix)) return this.ensure(topic, 1, 'sent to')
    const template = this.topics.get(send.defaultTopic)
    if (template === undefined || (template.perm & Perm.inherit) === 0) return undefined
    const queues = Math.max(1, Math.min(send.queueNums, template.writeQueueNums))
    const config: TopicConfig = {
      ...topicConfig(topic, queues, template.perm & ~Perm.inherit),
      topicFilterType: template.topicFilterType,
      topicSysFlag: send.unitMode ? 1 : 0,
    }
    this.put(config, `sent to, from the template ${send.defaultTopic}`)
    return config
  }

  delete(topic: string): boolean {
    if (!this.topics.delete(topic)) return false
    this.parts.events.emit(topicDeleted({ topic }))
    this.changed()
    return true
  }

  /** Runs after each change; the table is saved by then. */
  onChange(listener: () => void): void {
    this.listeners.push(listener)
  }

  save(): void {
    this.parts.file.save({ dataVersion: this.version.toJSON(), topicConfigTable: this.topics })
  }

  private changed(): void {
    this.version.next(this.parts.clock.now())
    this.save()
    for (const listener of this.listeners) listener()
  }
}

/** store.md 5.4. */
export function systemTopics(settings: TopicSettings): TopicConfig[] {
  const open = Perm.read | Perm.write | Perm.inherit
  const topics = [
    topicConfig('SELF_TEST_TOPIC', 1),
    topicConfig('BenchmarkTest', 1024),
    topicConfig(settings.brokerClusterName, 16, settings.clusterTopicEnable ? open : Perm.inherit),
    topicConfig(settings.brokerName, 1, settings.brokerTopicEnable ? open : Perm.inherit),
    topicConfig('OFFSET_MOVED_EVENT', 1),
    topicConfig('SCHEDULE_TOPIC_XXXX', 18),
    topicConfig(`${settings.brokerClusterName}_REPLY_TOPIC`, 1),
    topicConfig('RMQ_SYS_TRANS_HALF_TOPIC', 1),
    topicConfig('RMQ_SYS_TRANS_OP_HALF_TOPIC', 1),
  ]
  if (settings.autoCreateTopicEnable) topics.push(topicConfig(templateTopic, settings.defaultTopicQueueNums, open))
  if (settings.traceTopicEnable) topics.push(topicConfig(settings.msgTraceTopicName, 1))
  return topics
}
