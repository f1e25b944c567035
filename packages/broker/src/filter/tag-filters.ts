import { javaHash, ResponseCode, type SubscriptionData } from '@skua-mq/protocol'
import type { MessageFilter } from '@skua-mq/store'
import type { PullStop } from '../pull/pull-handler.ts'
import type { SubscriptionFilters } from '../pull/subscription-filter.ts'

/** How many compiled subscriptions are kept before the table starts afresh. */
const maxCompiled = 10_000

/** Passes the tags of a set by their hashes; the consumer compares the text again. */
class TagFilter implements MessageFilter {
  private readonly codes: ReadonlySet<number>
  readonly subVersion: number

  constructor(codes: readonly number[], subVersion: number) {
    this.codes = new Set(codes)
    this.subVersion = subVersion
  }

  matchesTag(tagsHash: number): boolean {
    return this.codes.has(tagsHash)
  }
}

/** Tag subscriptions, compiled once per group, topic and version. */
export class TagFilters implements SubscriptionFilters {
  private readonly compiled = new Map<string, TagFilter>()

  parse(topic: string, expression: string, type: string): SubscriptionData | PullStop {
    if (type !== 'TAG' && type !== '') return sqlRefused
    return tagSubscription(topic, expression)
  }

  filterOf(group: string, subscription: SubscriptionData): MessageFilter | PullStop | undefined {
    if (subscription.expressionType !== 'TAG' && subscription.expressionType !== '') return sqlRefused
    if (subscription.codeSet.length === 0) return undefined
    const key = `${group}@${subscription.topic}@${subscription.subString}`
    const known = this.compiled.get(key)
    if (known !== undefined && known.subVersion === subscription.subVersion) return known
    if (this.compiled.size >= maxCompiled) this.compiled.clear()
    const filter = new TagFilter(subscription.codeSet, subscription.subVersion)
    this.compiled.set(key, filter)
    return filter
  }
}

const sqlRefused: PullStop = {
  code: ResponseCode.systemError,
  remark: 'The broker does not support consumer to filter message by SQL92: set enablePropertyFilter=true',
}

/** `*`, nothing, or tags joined by two bars; no set means all. */
function tagSubscription(topic: string, expression: string): SubscriptionData {
  const all = expression.trim() === '' || expression.trim() === '*'
  const tagsSet = all
    ? []
    : expression
        .split('||')
        .map(tag => tag.trim())
        .filter(tag => tag !== '')
  return {
    classFilterMode: false,
    topic,
    subString: all ? '*' : expression,
    tagsSet,
    codeSet: tagsSet.map(javaHash),
    subVersion: 0,
    expressionType: 'TAG',
  }
}
