import {
  bloomKey,
  bloomParameters,
  bloomPositions,
  type ConsumerFilterData,
  type ConsumerFilterTable,
  compileSql,
  isTagType,
  type SqlFilter,
  SqlSyntaxError,
  type SubscriptionData,
} from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import type { TableFile } from '../persist/table-file.ts'

/** An entry that nobody wants any more is forgotten after this time (store.md 5.3). */
export const filterDataCleanTimeSpanMs = 24 * 3_600_000
/** An entry out of the file counts as dead since this time before the start, until its group comes back. */
const deadBeforeStartMs = 30_000
/** SQL subscriptions that are kept; a group beyond it is refused with FILTER_DATA_NOT_EXIST. */
export const maxConsumerFilters = 100_000
/** The same for their texts together, in UTF-16 units: what is compiled of them takes many times as much. */
export const maxFilterLength = 4 * 1024 * 1024

export interface ConsumerFilter {
  readonly data: ConsumerFilterData
  readonly sql: SqlFilter
  /** End of the log when this expression was compiled: bitmaps of messages before it may stem from another one. */
  readonly bitmapsFrom: number
}

export interface ConsumerFiltersParts {
  readonly clock: Pick<Clock, 'now'>
  /** consumerFilter.json */
  readonly file: Pick<TableFile<ConsumerFilterTable>, 'loadDerived' | 'saveLater' | 'saveAtStop'>
  /** maxErrorRateOfBloomFilter and expectConsumerNumUseFilter: Java reads bit positions out of the file. */
  readonly bloom: { readonly errorPercent: number; readonly keys: number }
  /** Where the next message goes. */
  readonly logEnd: () => number
  /** What a group subscribes to at the moment; undefined for a topic that it does not. */
  readonly subscription: (group: string, topic: string) => SubscriptionData | undefined
}

/**
 * The SQL92 subscriptions of consumer groups, compiled, as their heartbeats announced them; kept in consumerFilter.json in
 * Java's form, so that pulls are filtered right after a restart of the broker.
 */
export class ConsumerFilters {
  /** By topic, then by group. */
  private readonly topics = new Map<string, Map<string, ConsumerFilter>>()
  private readonly parts: ConsumerFiltersParts
  private count = 0
  /** Of the texts of all. */
  private length = 0
  private dirty = false
  private saving = 0

  constructor(parts: ConsumerFiltersParts) {
    this.parts = parts
  }

  /** Heartbeats bring all of it again, so that no broker stays down for a damaged file. */
  load(): void {
    const now = this.parts.clock.now()
    for (const [topic, { groupFilterData }] of this.parts.file.loadDerived()?.filterDataByTopic ?? []) {
      for (const [group, data] of groupFilterData) {
        const sql = compiled(data.expression)
        if (sql === undefined) continue
        const deadTime = data.dead ? data.deadTime : Math.max(data.bornTime, now - deadBeforeStartMs)
        const kept = { ...data, topic, consumerGroup: group, dead: true, deadTime }
        this.put({ data: kept, sql, bitmapsFrom: this.parts.logEnd() })
      }
    }
    this.dirty = false
  }

  find(group: string, topic: string): ConsumerFilter | undefined {
    return this.topics.get(topic)?.get(group)
  }

  /** The filters of a topic's groups, dead ones too: they may come back. */
  ofTopic(topic: string): ReadonlyMap<string, ConsumerFilter> | undefined {
    return this.topics.get(topic)
  }

  /** A heartbeat came with a subscription. A text that does not compile is left out: its pulls are refused (27). */
  register(group: string, subscription: SubscriptionData): void {
    if (isTagType(subscription.expressionType) || subscription.classFilterMode) return
    const { topic, subString: expression, subVersion: clientVersion } = subscription
    const known = this.find(group, topic)
    if (known !== undefined && !known.data.dead && clientVersion <= known.data.clientVersion) return
    if (known?.data.expression === expression && clientVersion >= known.data.clientVersion) {
      this.put({ ...known, data: { ...known.data, clientVersion, dead: false, deadTime: 0 } })
      return
    }
    if (known === undefined && this.count >= maxConsumerFilters) return
    const more =
      lengthOf({ consumerGroup: group, expression, topic }) - (known === undefined ? 0 : lengthOf(known.data))
    if (this.length + more > maxFilterLength) return
    const sql = compiled(expression)
    if (sql === undefined) return
    const bornTime = this.parts.clock.now()
    const { expressionType } = subscription
    const data = { bornTime, clientVersion, consumerGroup: group, expression, expressionType, topic }
    const bloomFilterData = this.bloomOf(group, topic)
    this.put({ data: { ...data, dead: false, deadTime: 0, bloomFilterData }, sql, bitmapsFrom: this.parts.logEnd() })
  }

  /** Marks what no group subscribes to any more, forgets what is dead for long, and saves what changed. */
  expire(): void {
    const now = this.parts.clock.now()
    for (const [topic, groups] of this.topics) {
      for (const [group, filter] of groups) {
        const { data } = filter
        if (!data.dead && !this.isWanted(data)) this.put({ ...filter, data: { ...data, dead: true, deadTime: now } })
        else if (data.dead && now - data.deadTime > filterDataCleanTimeSpanMs) this.remove(topic, group)
      }
    }
    if (!this.dirty) return
    this.dirty = false
    this.saving++
    void this.parts.file.saveLater(this.table()).then(saved => {
      this.saving--
      if (!saved) this.dirty = true
    })
  }

  stop(): void {
    this.save()
  }

  /** At once; an error is an event. */
  save(): void {
    // One that is under way may still fail; this one overtakes it.
    if (this.dirty || this.saving > 0) this.parts.file.saveAtStop(this.table())
  }

  table(): ConsumerFilterTable {
    const byTopic = [...this.topics].map(([topic, groups]) => {
      const groupFilterData = new Map([...groups].map(([group, { data }]) => [group, data]))
      return [topic, { groupFilterData, topic }] as const
    })
    return { filterDataByTopic: new Map(byTopic) }
  }

  private isWanted({ consumerGroup, topic }: ConsumerFilterData): boolean {
    const wanted = this.parts.subscription(consumerGroup, topic)
    return wanted !== undefined && !isTagType(wanted.expressionType)
  }

  private put(filter: ConsumerFilter): void {
    const { topic, consumerGroup } = filter.data
    let groups = this.topics.get(topic)
    if (groups === undefined) {
      groups = new Map()
      this.topics.set(topic, groups)
    }
    const former = groups.get(consumerGroup)
    if (former === undefined) this.count++
    else this.length -= lengthOf(former.data)
    this.length += lengthOf(filter.data)
    groups.set(consumerGroup, filter)
    this.dirty = true
  }

  private remove(topic: string, group: string): void {
    const groups = this.topics.get(topic)
    const former = groups?.get(group)
    if (groups === undefined || former === undefined) return
    groups.delete(group)
    this.length -= lengthOf(former.data)
    if (groups.size === 0) this.topics.delete(topic)
    this.count--
    this.dirty = true
  }

  private bloomOf(group: string, topic: string) {
    const parameters = bloomParameters(this.parts.bloom)
    return { bitNum: parameters.bits, bitPos: bloomPositions(parameters, bloomKey(group, topic)) }
  }
}

const lengthOf = ({
  consumerGroup,
  expression,
  topic,
}: Pick<ConsumerFilterData, 'consumerGroup' | 'expression' | 'topic'>): number =>
  consumerGroup.length + expression.length + topic.length

function compiled(expression: string): SqlFilter | undefined {
  try {
    return compileSql(expression)
  } catch (error) {
    if (error instanceof SqlSyntaxError) return undefined
    throw error
  }
}
