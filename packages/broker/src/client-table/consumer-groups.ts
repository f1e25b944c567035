import type { ConsumeFromWhere, ConsumerData, ConsumeType, MessageModel, SubscriptionData } from '@skua-mq/protocol'
import type { Connection } from '@skua-mq/remoting'
import { type Clock, defineEvent, type Events } from '@skua-mq/runtime'

export const subscriptionsDiffer = defineEvent<{
  group: string
  topic: string
  members: readonly string[]
  expressions: readonly string[]
}>('members of a consumer group subscribe differently: messages get lost', 'warn')
export const groupMembersChanged = defineEvent<{ group: string; members: number; why: string }>(
  'consumer group members changed',
  'debug',
)

/** A member that has not sent a heartbeat for so long is removed (remoting.md 4). */
export const memberExpiryMs = 120_000

export interface Member {
  readonly clientId: string
  readonly connection: Connection
  readonly language: number
  readonly version: number
  lastSeenMs: number
  subscriptions: ReadonlyMap<string, SubscriptionData>
}

export interface ConsumerGroup {
  readonly group: string
  /** Of the last heartbeat; undefined where it named one that we do not know. */
  consumeType: ConsumeType | undefined
  messageModel: MessageModel | undefined
  consumeFromWhere: ConsumeFromWhere | undefined
  /** By connection: one connection is one member, as in RocketMQ. */
  readonly members: Map<number, Member>
  subscriptions: Map<string, SubscriptionData>
}

/** Consumers that are connected, by group, as their heartbeats say. */
export class ConsumerGroups {
  private readonly groups = new Map<string, ConsumerGroup>()
  private readonly parts: {
    readonly clock: Clock
    readonly events: Events
    readonly notify: (group: ConsumerGroup) => void
  }
  /** Groups in which members subscribe differently, for metrics. */
  differing = new Set<string>()

  constructor(parts: ConsumerGroups['parts']) {
    this.parts = parts
  }

  find(group: string): ConsumerGroup | undefined {
    return this.groups.get(group)
  }

  all(): Iterable<ConsumerGroup> {
    return this.groups.values()
  }

  subscription(group: string, topic: string): SubscriptionData | undefined {
    return this.groups.get(group)?.subscriptions.get(topic)
  }

  /** A heartbeat. Answers whether members or subscriptions changed; the members are told of that. */
  register(
    data: ConsumerData,
    client: { clientId: string; connection: Connection; language: number; version: number },
    notifies: boolean,
  ): boolean {
    const known = this.groups.get(data.groupName)
    const group = known ?? this.newGroup(data)
    group.consumeType = data.consumeType
    group.messageModel = data.messageModel
    group.consumeFromWhere = data.consumeFromWhere
    const joined = this.refresh(group, data, client)
    const subscribed = replaceSubscriptions(group, data.subscriptionDataSet)
    this.compare(group)
    const changed = joined || subscribed
    if (changed) {
      this.parts.events.emit(
        groupMembersChanged({
          group: data.groupName,
          members: group.members.size,
          why: joined ? 'joined' : 'subscriptions changed',
        }),
      )
      if (notifies) this.parts.notify(group)
    }
    return changed
  }

  unregister(group: string, connection: Connection, notifies: boolean): void {
    const found = this.groups.get(group)
    if (found?.members.delete(connection.id)) this.left(found, notifies, 'unregistered')
  }

  /** A closed connection takes its member out of every group at once. */
  connectionClosed(connection: Connection): void {
    for (const group of [...this.groups.values()]) {
      if (group.members.delete(connection.id)) this.left(group, true, 'connection closed')
    }
  }

  /** Members that are silent for too long are cut off. */
  expire(): void {
    const limit = this.parts.clock.monotonic() - memberExpiryMs
    for (const group of [...this.groups.values()]) {
      for (const member of [...group.members.values()]) {
        if (member.lastSeenMs >= limit) continue
        group.members.delete(member.connection.id)
        member.connection.close()
        this.left(group, true, 'silent')
      }
    }
  }

  private newGroup(data: ConsumerData): ConsumerGroup {
    const group: ConsumerGroup = {
      group: data.groupName,
      consumeType: data.consumeType,
      messageModel: data.messageModel,
      consumeFromWhere: data.consumeFromWhere,
      members: new Map(),
      subscriptions: new Map(),
    }
    this.groups.set(data.groupName, group)
    return group
  }

  private refresh(
    group: ConsumerGroup,
    data: ConsumerData,
    client: { clientId: string; connection: Connection; language: number; version: number },
  ): boolean {
    const subscriptions = new Map(data.subscriptionDataSet.map(subscription => [subscription.topic, subscription]))
    const known = group.members.get(client.connection.id)
    if (known !== undefined && known.clientId === client.clientId) {
      known.lastSeenMs = this.parts.clock.monotonic()
      known.subscriptions = subscriptions
      return false
    }
    group.members.set(client.connection.id, { ...client, lastSeenMs: this.parts.clock.monotonic(), subscriptions })
    return true
  }

  private left(group: ConsumerGroup, notifies: boolean, why: string): void {
    this.parts.events.emit(groupMembersChanged({ group: group.group, members: group.members.size, why }))
    if (group.members.size === 0) {
      this.groups.delete(group.group)
      this.differing.delete(group.group)
    } else if (notifies) this.parts.notify(group)
  }

  /** One warning when members begin to differ (promises, row 7). */
  private compare(group: ConsumerGroup): void {
    const difference = differenceIn(group)
    if (difference === undefined) this.differing.delete(group.group)
    else if (!this.differing.has(group.group)) {
      this.differing.add(group.group)
      this.parts.events.emit(subscriptionsDiffer({ group: group.group, ...difference }))
    }
  }
}

/** Two members that do not want the same of a topic; undefined when all agree. */
function differenceIn(group: ConsumerGroup): { topic: string; members: string[]; expressions: string[] } | undefined {
  const members = [...group.members.values()]
  const first = members[0]
  if (first === undefined) return undefined
  for (const other of members.slice(1)) {
    for (const topic of new Set([...first.subscriptions.keys(), ...other.subscriptions.keys()])) {
      const [a, b] = [first.subscriptions.get(topic), other.subscriptions.get(topic)]
      if (a?.subString === b?.subString && a?.expressionType === b?.expressionType) continue
      return {
        topic,
        members: [first.clientId, other.clientId],
        expressions: [a?.subString ?? 'not subscribed', b?.subString ?? 'not subscribed'],
      }
    }
  }
  return undefined
}

/** The newest heartbeat rules: what it lacks goes, a larger version replaces (remoting.md 11, code 34). */
function replaceSubscriptions(group: ConsumerGroup, wanted: readonly SubscriptionData[]): boolean {
  let changed = false
  for (const subscription of wanted) {
    const known = group.subscriptions.get(subscription.topic)
    if (known === undefined) changed = true
    if (known === undefined || subscription.subVersion > known.subVersion)
      group.subscriptions.set(subscription.topic, subscription)
  }
  for (const topic of [...group.subscriptions.keys()]) {
    if (wanted.some(subscription => subscription.topic === topic)) continue
    group.subscriptions.delete(topic)
    changed = true
  }
  return changed
}
