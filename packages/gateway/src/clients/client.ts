import { type ConsumerData, languageNumber, maxSqlLength, subscriptionData } from '@skua-mq/protocol'
import type { Drafted } from '../proto/message.ts'
import { Refused } from '../refused.ts'
import { Code } from '../v2/code.ts'
import { ClientType, FilterType } from '../v2/enums.ts'
import type { FilterExpression } from '../v2/shared.ts'
import type { Membership, Roles } from './membership.ts'
import type { CommandStream } from './questions.ts'
import type { ClientSettings } from './settings.ts'

type Filter = Drafted<typeof FilterExpression>

/** Other names of languages in the header x-mq-language than those of remoting; what nobody knows is OTHER. */
const other = 7
const languages: Readonly<Record<string, string>> = {
  GOLANG: 'GO',
  DOT_NET: 'DOTNET',
  C_SHARP: 'DOTNET',
  CSHARP: 'DOTNET',
}

/** The number of a language's name as clients write it. */
export const languageOf = (name: string | undefined): number => {
  const upper = (name ?? '').toUpperCase()
  return languageNumber(languages[upper] ?? upper) ?? other
}

/** The expression and the type as remoting has them. Throws Refused. */
export function filterOf(filter: Filter | undefined): { expression: string; type: 'TAG' | 'SQL92' } {
  const expression = filter?.expression === undefined || filter.expression === '' ? '*' : filter.expression
  // Longer ones brokers do not read; to take one apart costs as much as it is long.
  if (expression.length > maxSqlLength)
    throw new Refused(
      Code.illegalFilterExpression,
      `the expression has ${expression.length} characters, at most ${maxSqlLength} are read`,
    )
  return { expression, type: filter?.type === FilterType.sql ? 'SQL92' : 'TAG' }
}

/** One client object of a gRPC library, by its client id. */
export class GrpcClient {
  readonly id: string
  /** The account that its calls are signed by; '' where nobody asks. */
  readonly account: string
  readonly membership: Membership
  settings: ClientSettings | undefined
  /** What its settings take, about. */
  bytes = 0
  /** Its stream for commands. */
  stream: CommandStream | undefined
  seenAtMs: number
  /** It said so, or was silent for too long: whatever is under way for it is for nobody. */
  hasLeft = false

  constructor(id: string, { account, membership, nowMs }: { account: string; membership: Membership; nowMs: number }) {
    this.id = id
    this.account = account
    this.membership = membership
    membership.attach(() => this.stream)
    this.seenAtMs = nowMs
  }

  /** Topics that it sends to, or consumes. */
  get topics(): readonly string[] {
    const { publishing, subscription } = this.settings ?? {}
    const named = [...(publishing?.topics ?? []), ...(subscription?.subscriptions ?? []).map(({ topic }) => topic)]
    return named.map(topic => topic?.name ?? '').filter(name => name !== '')
  }

  get group(): string | undefined {
    return this.settings?.subscription?.group?.name
  }

  /** Takes its settings; brokers hear of them with the next beat. Throws Refused, and then all stays as it was. */
  set(settings: ClientSettings, nowMs: number): void {
    this.membership.set(rolesOf(settings, nowMs))
    this.settings = settings
  }
}

/** Of a topic in settings, beside its texts; measured. */
const topicBytes = 500

/** What settings take in memory, about: in their own form, and as brokers are told of them. */
export function bytesOf({ publishing, subscription }: ClientSettings): number {
  const topics = [...(publishing?.topics ?? []), ...(subscription?.subscriptions ?? []).map(({ topic }) => topic)]
  const names = topics.reduce((sum, topic) => sum + topicBytes + (topic?.name?.length ?? 0), 0)
  const expressions = (subscription?.subscriptions ?? []).reduce(
    (sum, { expression }) => sum + (expression?.expression?.length ?? 0),
    0,
  )
  // Tags are kept one by one.
  return names + 4 * expressions
}

/** A producer stands for its topics: gRPC producers have no group (grpc.md 7). */
function rolesOf(settings: ClientSettings, nowMs: number): Roles {
  const { publishing } = settings
  return {
    producerGroups: (publishing?.topics ?? []).map(({ name }) => name ?? '').filter(name => name !== ''),
    consumer: consumerOf(settings, nowMs),
  }
}

function consumerOf({ subscription, clientType }: ClientSettings, nowMs: number): ConsumerData | undefined {
  const groupName = subscription?.group?.name
  if (subscription === undefined || groupName === undefined || groupName === '') return undefined
  const subscriptionDataSet = (subscription.subscriptions ?? []).map(({ topic, expression: filter }) => {
    const wish = filterOf(filter)
    const data = subscriptionData({ topic: topic?.name ?? '', ...wish, subVersion: nowMs })
    if (data === undefined)
      throw new Refused(Code.illegalFilterExpression, `"${wish.expression}" is not a ${wish.type} expression`)
    return data
  })
  return {
    groupName,
    consumeType: clientType === ClientType.pushConsumer ? 'CONSUME_PASSIVELY' : 'CONSUME_ACTIVELY',
    messageModel: 'CLUSTERING',
    consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
    subscriptionDataSet,
    unitMode: false,
  }
}
