import {
  type ConsumeFromWhere,
  type ConsumerData,
  type ConsumeType,
  getConsumerListByGroup,
  type MessageModel,
  type SubscriptionData,
} from '@skua-mq/protocol'
import type { Connection } from '@skua-mq/remoting'
import { type Clock, defineEvent, type Events } from '@skua-mq/runtime'
import type { Client } from './client.ts'
import { GroupsOfConnections } from './groups-of-connections.ts'

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

export interface Member extends Client {
  fingerprint?: number | undefined
  lastSeenMs: number
  subscriptions: ReadonlyMap<string, SubscriptionData>
  /** The same text for two members that want the same. */
  meaning: string
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

export interface ConsumerGroupsParts {
  readonly clock: Clock
  readonly events: Events
  /** Tells the members that something changed (40); the newcomer is the one whose heartbeat made the change. */
  readonly notify: (group: ConsumerGroup, newcomer?: Connection) => void
}

/** Consumers that are connected, by group, as their heartbeats say. */
export class ConsumerGroups {
  private readonly groups = new Map<string, ConsumerGroup>()
  private readonly byConnection = new GroupsOfConnections()
  private readonly parts: ConsumerGroupsParts
  /** Groups in which members subscribe differently at the moment. */
  private readonly differing = new Set<string>()
  /** Encoded lists of client ids, until members come or go: of a large group each member asks for it after each change. */
  private readonly lists = new WeakMap<ConsumerGroup, Uint8Array>()
  /** How often a group began to differ, for metrics. */
  differencesFound = 0

  constructor(parts: ConsumerGroupsParts) {
    this.parts = parts
  }

  /** Groups in which members subscribe differently at the moment. */
  get differingGroups(): readonly string[] {
    return [...this.differing]
  }

  find(group: string): ConsumerGroup | undefined {
    return this.groups.get(group)
  }

  /** 38: the body that names the members of a group; undefined where it has none. */
  idList(group: string): Uint8Array | undefined {
    const found = this.groups.get(group)
    if (found === undefined) return undefined
    const known = this.lists.get(found)
    if (known !== undefined) return known
    const consumerIdList = [...new Set([...found.members.values()].map(({ clientId }) => clientId))]
    const list = getConsumerListByGroup.replyBody!.encode({ consumerIdList })
    this.lists.set(found, list)
    return list
  }

  all(): Iterable<ConsumerGroup> {
    return this.groups.values()
  }

  subscription(group: string, topic: string): SubscriptionData | undefined {
    return this.groups.get(group)?.subscriptions.get(topic)
  }

  /** Whether what a heartbeat says of a group has room in its connection's share. */
  hasRoom(data: ConsumerData, client: Client): boolean {
    return this.byConnection.hasRoom(client.connection.id, data.groupName, bytesOf(data, client))
  }

  /** A heartbeat. Returns whether members or subscriptions changed; the members are told of that. */
  register(data: ConsumerData, client: Client, notifies: boolean): boolean {
    const known = this.groups.get(data.groupName)
    const group = known ?? this.newGroup(data)
    group.consumeType = data.consumeType
    group.messageModel = data.messageModel
    group.consumeFromWhere = data.consumeFromWhere
    const joined = this.refresh(group, data, client)
    const subscribed = replaceSubscriptions(group, data.subscriptionDataSet)
    this.compare(group, group.members.get(client.connection.id) as Member)
    const changed = joined || subscribed
    if (changed) {
      this.parts.events.emit(
        groupMembersChanged({
          group: data.groupName,
          members: group.members.size,
          why: joined ? 'joined' : 'subscriptions changed',
        }),
      )
      if (notifies) this.parts.notify(group, joined ? client.connection : undefined)
    }
    return changed
  }

  /**
   * A heartbeat of 5.x that leaves out what was said before. False where the group's member has not said it, or something
   * else: it is one all the same, and has to say all of it. Its group's subscriptions are then taken for its own.
   */
  beatShortly(data: ConsumerData, client: Client, how: { fingerprint: number; notifies: boolean }): boolean {
    const group = this.groups.get(data.groupName) ?? this.newGroup(data)
    const known = group.members.get(client.connection.id)
    if (known !== undefined && known.clientId === client.clientId) {
      known.lastSeenMs = this.parts.clock.monotonic()
      return known.fingerprint === how.fingerprint
    }
    const subscriptionDataSet = [...group.subscriptions.values()]
    this.refresh(group, { ...data, subscriptionDataSet }, client)
    this.parts.events.emit(groupMembersChanged({ group: data.groupName, members: group.members.size, why: 'joined' }))
    if (how.notifies) this.parts.notify(group, client.connection)
    return false
  }

  /** The client id of a connection that is a member of the group. */
  memberOf(group: string, connection: Connection): string | undefined {
    return this.groups.get(group)?.members.get(connection.id)?.clientId
  }

  unregister(group: string, connection: Connection, notifies: boolean): void {
    const found = this.groups.get(group)
    if (found !== undefined && this.remove(found, connection.id)) this.left(found, notifies, 'unregistered')
  }

  /** A closed connection takes its member out of every group, of one in each step. */
  *leaving(connection: Connection): Generator<void> {
    for (const name of this.byConnection.of(connection.id)) {
      const group = this.groups.get(name)
      if (group !== undefined && this.remove(group, connection.id)) this.left(group, true, 'connection closed')
      yield
    }
  }

  private remove(group: ConsumerGroup, connectionId: number): boolean {
    this.byConnection.delete(connectionId, group.group)
    this.lists.delete(group)
    return group.members.delete(connectionId)
  }

  /** Members that are silent for too long are cut off. */
  expire(): void {
    if (this.parts.clock.leaps) return
    const limit = this.parts.clock.monotonic() - memberExpiryMs
    for (const group of [...this.groups.values()]) {
      for (const member of [...group.members.values()]) {
        if (member.lastSeenMs >= limit) continue
        this.remove(group, member.connection.id)
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

  private refresh(group: ConsumerGroup, data: ConsumerData, client: Client): boolean {
    const subscriptions = new Map(data.subscriptionDataSet.map(subscription => [subscription.topic, subscription]))
    const meaning = meaningOf(subscriptions)
    const known = group.members.get(client.connection.id)
    this.byConnection.set(client.connection.id, group.group, bytesOf(data, client))
    if (known !== undefined && known.clientId === client.clientId) {
      known.lastSeenMs = this.parts.clock.monotonic()
      known.subscriptions = subscriptions
      known.meaning = meaning
      known.fingerprint = client.fingerprint
      return false
    }
    const lastSeenMs = this.parts.clock.monotonic()
    this.lists.delete(group)
    group.members.set(client.connection.id, { ...client, lastSeenMs, subscriptions, meaning })
    return true
  }

  private left(group: ConsumerGroup, notifies: boolean, why: string): void {
    this.parts.events.emit(groupMembersChanged({ group: group.group, members: group.members.size, why }))
    if (group.members.size === 0) {
      this.groups.delete(group.group)
      this.differing.delete(group.group)
      return
    }
    if (this.differing.has(group.group)) this.compare(group)
    if (notifies) this.parts.notify(group)
  }

  /** One warning when members begin to differ (promises, row 7). While all agree, `newest` and any other one tell. */
  private compare(group: ConsumerGroup, newest?: Member): void {
    const isDiffering = this.differing.has(group.group)
    const [first, ...others] = isDiffering || newest === undefined ? group.members.values() : pairWith(group, newest)
    const other = others.find(member => member.meaning !== first?.meaning)
    if (first === undefined || other === undefined) this.differing.delete(group.group)
    else if (!isDiffering) {
      this.differing.add(group.group)
      this.differencesFound++
      this.parts.events.emit(subscriptionsDiffer({ group: group.group, ...differenceOf(first, other) }))
    }
  }
}

/** About what a member and a subscription take without their texts, and a tag in its two sets. */
const memberBytes = 400
const subscriptionBytes = 400
const tagBytes = 50

/** About what is kept of a heartbeat; texts stand in the subscriptions and in what tells members apart. */
function bytesOf({ groupName, subscriptionDataSet }: ConsumerData, { clientId }: Client): number {
  let bytes = memberBytes + groupName.length + clientId.length
  for (const { topic, subString, expressionType, tagsSet, codeSet } of subscriptionDataSet) {
    bytes += subscriptionBytes + 2 * (topic.length + subString.length + (expressionType?.length ?? 0))
    bytes += 8 * codeSet.length
    for (const tag of tagsSet) bytes += tagBytes + 2 * tag.length
  }
  return bytes
}

function pairWith(group: ConsumerGroup, newest: Member): Member[] {
  for (const member of group.members.values()) if (member !== newest) return [member, newest]
  return [newest]
}

/** The first topic of which two members do not want the same. */
function differenceOf(a: Member, b: Member): { topic: string; members: string[]; expressions: string[] } {
  const topics = new Set([...a.subscriptions.keys(), ...b.subscriptions.keys()])
  const wanted = (member: Member, topic: string) => meaningOfOne(member.subscriptions.get(topic))
  const topic = [...topics].find(name => wanted(a, name) !== wanted(b, name)) ?? ''
  const expression = (member: Member) => member.subscriptions.get(topic)?.subString ?? 'not subscribed'
  return { topic, members: [a.clientId, b.clientId], expressions: [expression(a), expression(b)] }
}

function meaningOf(subscriptions: ReadonlyMap<string, SubscriptionData>): string {
  const topics = [...subscriptions.keys()].sort()
  return JSON.stringify(topics.map(topic => [topic, meaningOfOne(subscriptions.get(topic))]))
}

/** `A || B` and `B || A` want the same. */
function meaningOfOne(subscription: SubscriptionData | undefined): string {
  if (subscription === undefined) return ''
  const { classFilterMode, expressionType, subString, tagsSet } = subscription
  const byTags = expressionType === 'TAG' && !classFilterMode && tagsSet.length > 0
  return JSON.stringify([classFilterMode, expressionType, byTags ? [...tagsSet].sort() : subString])
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
  const topics = new Set(wanted.map(subscription => subscription.topic))
  for (const topic of [...group.subscriptions.keys()]) {
    if (topics.has(topic)) continue
    group.subscriptions.delete(topic)
    changed = true
  }
  return changed
}
