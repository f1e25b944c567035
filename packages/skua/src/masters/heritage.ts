import { isSystemTopic, subscriptionGroupTableFile, topicConfigTableFile, traceTopic } from '@skua-mq/protocol'
import { ConfigFile, type Disk, defineEvent, type Events } from '@skua-mq/runtime'
import type { FamilyMember } from './family.ts'

export const tookOver = defineEvent<{ broker: string; like: string; topics: number; groups: number }>(
  'a new master of the family takes over topics and groups',
  'info',
)

/**
 * Gives a broker of the family that was never started the topics and groups of the first, from file to file: so its first registration has
 * them, and needs no account. Offsets it has none: whoever consumes begins with its first messages. Topics last: with them it counts as started.
 */
export function inherit(
  { disk, events }: { readonly disk: Disk; readonly events: Events },
  first: FamilyMember,
  member: FamilyMember,
): void {
  const fileOf = ({ storePathRootDir }: FamilyMember, name: string) =>
    new ConfigFile(`${storePathRootDir}/config/${name}.json`, { disk, events })
  const own = fileOf(member, 'topics')
  if (disk.stat(own.path) !== undefined || disk.stat(`${own.path}.bak`) !== undefined) return
  const topics = fileOf(first, 'topics').load(bytes => topicConfigTableFile.decode(bytes))
  if (topics === undefined) return
  const groups = fileOf(first, 'subscriptionGroup').load(bytes => subscriptionGroupTableFile.decode(bytes))
  if (groups !== undefined) fileOf(member, 'subscriptionGroup').save(subscriptionGroupTableFile.encode(groups))
  const table = new Map([...topics.topicConfigTable].filter(([name]) => isShared(name, first)))
  own.save(topicConfigTableFile.encode({ ...topics, topicConfigTable: table }))
  const like = first.brokerName
  const counts = { topics: table.size, groups: groups?.subscriptionGroupTable.size ?? 0 }
  events.emit(tookOver({ broker: member.brokerName, like, ...counts }))
}

/** Not what each broker makes for itself, the topic that is named after it among them. */
const isShared = (topic: string, { brokerName }: FamilyMember): boolean =>
  topic === traceTopic || (!isSystemTopic(topic) && topic !== brokerName)
