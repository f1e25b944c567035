import {
  compileSql,
  ExpressionType,
  isTagType,
  maxSqlLength,
  ResponseCode,
  retryPrefix,
  type SqlFilter,
  SqlSyntaxError,
  type SubscriptionData,
} from '@skua-mq/protocol'
import type { MessageFilter } from '@skua-mq/store'
import type { PullStop } from '../pull/pull-handler.ts'
import type { SubscriptionFilters } from '../pull/subscription-filter.ts'
import type { ConsumerFilter, ConsumerFilters } from './consumer-filters.ts'
import { retryFilter, sqlFilter, tagFilter, tagFilterOf } from './message-filters.ts'

/** How many expressions out of pulls are kept compiled before their table starts afresh, and how long they are together. */
const maxCompiled = 10_000
const maxCompiledLength = 4 * 1024 * 1024

/** Longest expression of either type, in UTF-16 units: that of SQL92. RocketMQ has no limit. */
export const maxExpressionLength = maxSqlLength

export interface FilterSettings {
  readonly enablePropertyFilter: boolean
  readonly filterSupportRetry: boolean
}

/** Filters of pulls: by tag, and by SQL92 where enablePropertyFilter allows it (remoting.md 10). */
export class ExpressionFilters implements SubscriptionFilters {
  private readonly settings: FilterSettings
  private readonly groups: Pick<ConsumerFilters, 'find'>
  /** Of groups' subscriptions, which stay the same object until a heartbeat replaces them. */
  private readonly ofSubscription = new WeakMap<SubscriptionData, MessageFilter>()
  private readonly ofSql = new WeakMap<SqlFilter, MessageFilter>()
  private readonly ofRetry = new Map<string, MessageFilter>()
  private readonly texts = new Map<string, MessageFilter | PullStop | undefined>()
  /** Of the keys of `texts`, in all. */
  private textsLength = 0

  constructor(settings: FilterSettings, groups: Pick<ConsumerFilters, 'find'>) {
    this.settings = settings
    this.groups = groups
  }

  /** 46: why a subscription cannot be served here; undefined where it can. */
  refusalOf({ expressionType, subString }: SubscriptionData): PullStop | undefined {
    if (isTagType(expressionType)) return undefined
    if (!this.settings.enablePropertyFilter) return switchedOff(expressionType)
    const filter = sqlOf(subString, expressionType)
    return 'code' in filter ? filter : undefined
  }

  ofText(pull: { topic: string; group: string; expression: string | undefined; type: string | undefined }) {
    const { expression, type } = pull
    if (expression !== undefined && expression.length > maxExpressionLength) return tooLong(expression)
    if (isTagType(type)) {
      if (pull.topic.startsWith(retryPrefix) && this.settings.filterSupportRetry) return this.retryFilterOf(pull.group)
      return this.kept(`TAG:${expression ?? ''}`, () => {
        const filter = tagFilterOf(expression)
        return filter === 'no tags' ? unparsable(`the expression "${expression}" names no tag`) : filter
      })
    }
    // Before anything is kept: a type that a peer makes up must not take the place of another's expression.
    if (type !== ExpressionType.sql92) return unknownType(type as string)
    const found = this.kept(`${type}:${expression ?? ''}`, () => sqlOf(expression ?? '', type as string))
    if (found !== undefined && 'code' in found) return found
    return this.settings.enablePropertyFilter ? found : switchedOff(type as string)
  }

  ofGroup(group: string, subscription: SubscriptionData, subVersion: number): MessageFilter | PullStop | undefined {
    if (!isTagType(subscription.expressionType)) return this.sqlOfGroup(group, subscription, subVersion)
    if (this.settings.filterSupportRetry && subscription.topic.startsWith(retryPrefix)) return this.retryFilterOf(group)
    if (subscription.codeSet.length === 0) return undefined
    const known = this.ofSubscription.get(subscription)
    if (known !== undefined) return known
    const filter = tagFilter(new Set(subscription.codeSet))
    this.ofSubscription.set(subscription, filter)
    return filter
  }

  private sqlOfGroup(group: string, { topic, expressionType }: SubscriptionData, subVersion: number) {
    if (!this.settings.enablePropertyFilter) return switchedOff(expressionType)
    const found = this.groups.find(group, topic)
    if (found === undefined) {
      return {
        code: ResponseCode.filterDataNotExist,
        remark: `no ${expressionType} filter of group ${group} for ${topic} is known here: its expression is not SQL92, or no heartbeat brought it yet`,
      }
    }
    if (found.data.clientVersion < subVersion) {
      return {
        code: ResponseCode.filterDataNotLatest,
        remark: `the filter of group ${group} for ${topic} is older here (${found.data.clientVersion}) than in the pull (${subVersion})`,
      }
    }
    return this.filterOf(found)
  }

  private filterOf({ sql, data, bitmapsFrom }: ConsumerFilter): MessageFilter {
    const known = this.ofSql.get(sql)
    if (known !== undefined) return known
    const bloom = data.bloomFilterData
    const use = bloom && { bits: bloom.bitNum, positions: bloom.bitPos, from: bitmapsFrom }
    const filter = sqlFilter(sql, use)
    this.ofSql.set(sql, filter)
    return filter
  }

  private retryFilterOf(group: string): MessageFilter {
    const known = this.ofRetry.get(group)
    if (known !== undefined) return known
    if (this.ofRetry.size >= maxCompiled) this.ofRetry.clear()
    const filter = retryFilter(topic => this.groups.find(group, topic)?.sql)
    this.ofRetry.set(group, filter)
    return filter
  }

  private kept(key: string, make: () => MessageFilter | PullStop | undefined): MessageFilter | PullStop | undefined {
    if (this.texts.has(key)) return this.texts.get(key)
    if (this.texts.size >= maxCompiled || this.textsLength + key.length > maxCompiledLength) {
      this.texts.clear()
      this.textsLength = 0
    }
    const made = make()
    this.textsLength += key.length
    this.texts.set(key, made)
    return made
  }
}

function sqlOf(expression: string, type: string): MessageFilter | PullStop {
  if (type !== ExpressionType.sql92) return unknownType(type)
  try {
    return sqlFilter(compileSql(expression))
  } catch (error) {
    if (error instanceof SqlSyntaxError) return unparsable(`SQL92 expression refused: ${error.message}`)
    throw error
  }
}

/** No type has a name like that. */
const maxTypeLength = 64

const unknownType = (type: string): PullStop => {
  const remark = `there is no expression type ${type}: TAG and SQL92 are known`
  return unparsable(type.length > maxTypeLength ? 'the expression type has no name that is known' : remark)
}

const tooLong = (expression: string): PullStop =>
  unparsable(`the expression has ${expression.length} characters, at most ${maxExpressionLength} are read`)

const unparsable = (remark: string): PullStop => ({ code: ResponseCode.subscriptionParseFailed, remark })

const switchedOff = (type: string): PullStop => ({
  code: ResponseCode.systemError,
  remark: `The broker does not support consumer to filter message by ${type}: set enablePropertyFilter=true`,
})
