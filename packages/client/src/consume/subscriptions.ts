import { isTagType, parseTags, type SubscriptionData, subscriptionData, type TagFilter } from '@skua-mq/protocol'
import { ClientError } from '../error.ts'
import { checkTopic } from '../name/names.ts'
import { checkOptions, type OptionRules } from '../option-rules.ts'

/** What `subscribe` takes behind the expression. */
export interface SubscribeOptions {
  /** TAG (`A || B`, default) or SQL92, which brokers must have switched on. */
  readonly type?: 'TAG' | 'SQL92' | undefined
}

// Which types there are is told with the expression.
const subscribeRules: OptionRules<SubscribeOptions> = { type: 'any' }

/** Throws ClientError ARGUMENT; a handler beside the topic is what other clients want. */
export function typeIn(options: SubscribeOptions): string | undefined {
  if (typeof options === 'function')
    throw new ClientError('ARGUMENT', 'subscribe takes no handler: give it to onMessage of a PushConsumer')
  checkOptions('subscribe', options, subscribeRules)
  return options.type
}

/** What brokers would take for something else than was meant. Throws ClientError ARGUMENT. */
function checkExpression(expression: string | undefined, type: string | undefined): void {
  const refuse = (why: string) => {
    throw new ClientError('ARGUMENT', why)
  }
  if (expression !== undefined && typeof expression !== 'string')
    refuse(
      `an expression is a text: ${typeof expression} was given${typeof expression === 'function' ? ', and handlers are for onMessage of a PushConsumer' : ''}`,
    )
  if (!isTagType(type)) {
    if (type !== 'SQL92') refuse(`the type of an expression is TAG or SQL92: "${type}" was given`)
    return
  }
  if (expression === undefined || expression === '' || expression === '*') return
  for (const part of expression.split('||').map(text => text.trim())) {
    if (part === '' || part === '*') refuse(`"${expression}" is no tag expression: a tag is missing beside ||`)
    if (/[<>=()]|\b(is|in|and|or|not|between)\b.*\s/i.test(part))
      refuse(`"${expression}" is no tag expression: for SQL give { type: 'SQL92' }`)
    if (/[|,;&]/.test(part)) refuse(`"${expression}" is no tag expression: tags are joined by ||, as in "A || B"`)
  }
}

export interface Subscription {
  readonly data: SubscriptionData
  /** Undefined for expressions that only the broker can evaluate. */
  readonly tags: TagFilter | undefined
}

/** What a group wants, by topic on the wire. All members of a group must want the same. */
export class Subscriptions {
  private readonly byTopic = new Map<string, Subscription>()

  /** Throws ClientError ARGUMENT for an expression that cannot be. */
  set(topic: string, wish: { expression: string | undefined; type?: string | undefined; subVersion: number }): void {
    checkTopic(topic)
    const { expression, type, subVersion } = wish
    checkExpression(expression, type)
    const data = subscriptionData({ topic, expression, subVersion, ...(type === undefined ? {} : { type }) })
    if (data === undefined) throw new ClientError('ARGUMENT', `"${expression}" is no ${type ?? 'TAG'} expression`)
    this.byTopic.set(topic, { data, tags: isTagType(type) ? parseTags(expression) : undefined })
  }

  delete(topic: string): void {
    this.byTopic.delete(topic)
  }

  get(topic: string): Subscription | undefined {
    return this.byTopic.get(topic)
  }

  topics(): string[] {
    return [...this.byTopic.keys()]
  }

  list(): SubscriptionData[] {
    return [...this.byTopic.values()].map(({ data }) => data)
  }

  /** The broker must hear of it before the next pull. */
  touch(topic: string, subVersion: number): void {
    const found = this.byTopic.get(topic)
    if (found !== undefined) this.byTopic.set(topic, { ...found, data: { ...found.data, subVersion } })
  }
}
