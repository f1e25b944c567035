import { mqadmin, skua } from './command.ts'

/** Of each action of the page, the command that does the same. A test runs them and compares what they did. */

/** What a reset of offsets is to do; `time` with its zone. */
export interface ResetWish {
  readonly group: string
  readonly topic: string
  readonly to: 'time' | 'earliest' | 'latest' | 'queues' | 'group'
  readonly time: string
  readonly otherGroup: string
  readonly queues: readonly { readonly brokerName: string; readonly queueId: number; readonly offset: number }[]
}

export function resetCommand({ group, topic, to, time, otherGroup, queues }: ResetWish): string {
  const begin = ['offsets', 'reset', group, ['--topic', topic]] as const
  if (to === 'group') return skua(...begin, ['--as', otherGroup || 'GROUP'])
  if (to !== 'queues') return skua(...begin, ['--to', to === 'time' ? time : to])
  if (queues.length === 0) return skua(...begin, ['--queue', 'BROKER/QUEUE=OFFSET'])
  return skua(
    ...begin,
    ...queues.map(({ brokerName, queueId, offset }) => ['--queue', `${brokerName}/${queueId}=${offset}`] as const),
  )
}

export const undoCommand = (group: string): string => skua('offsets', 'undo', ['-g', group])

export interface TopicWish {
  readonly topic: string
  readonly clusterName: string
  readonly queues: number
  readonly perm: number
  readonly order: boolean
  readonly type: string
}

export const topicCommand = ({ topic, clusterName, queues, perm, order, type }: TopicWish): string =>
  mqadmin(
    'updateTopic',
    ['-c', clusterName],
    ['-t', topic || 'TOPIC'],
    ['-r', queues],
    ['-w', queues],
    ['-p', perm],
    order && '-o',
    order && 'true',
    type !== 'UNSPECIFIED' && '-a',
    type !== 'UNSPECIFIED' && `+message.type=${type}`,
  )

/** One for each cluster. */
export const topicDeleteCommand = (topic: string, clusters: readonly string[]): string =>
  clusters.map(name => mqadmin('deleteTopic', ['-c', name], ['-t', topic])).join(' && ')

export interface GroupWish {
  readonly group: string
  readonly clusterName: string
  readonly isEnabled: boolean
  readonly isBroadcast: boolean
  readonly retries: string
  readonly queues: string
  /** Settings that it has: mqadmin sets what is not given back to what a new group has. */
  readonly settings: Readonly<Record<string, string>>
}

export const groupCommand = (wish: GroupWish): string =>
  mqadmin(
    'updateSubGroup',
    ['-c', wish.clusterName],
    ['-g', wish.group || 'GROUP'],
    ['-s', String(wish.isEnabled)],
    ['-d', String(wish.isBroadcast)],
    ['-r', wish.retries],
    ['-q', wish.queues],
    ...kept.flatMap(({ flag, name, standard }) => {
      const value = wish.settings[name]
      return value === undefined || value === standard ? [] : [[flag, value] as const]
    }),
  )

/** Settings that the form does not have, and what a new group has. */
const kept = [
  { flag: '-m', name: 'consumeFromMinEnable', standard: 'false' },
  { flag: '-i', name: 'brokerId', standard: '0' },
  { flag: '-w', name: 'whichBrokerWhenConsumeSlowly', standard: '1' },
  { flag: '-a', name: 'notifyConsumerIdsChangedEnable', standard: 'true' },
] as const

export const groupDeleteCommand = (group: string, clusterName: string): string =>
  mqadmin('deleteSubGroup', ['-c', clusterName], ['-g', group], ['-r', 'true'])

export interface SendWish {
  readonly topic: string
  readonly body: string
  readonly tags: string
  readonly keys: string
  /** Seconds from now. */
  readonly delay: string
  readonly orderKey: string
  readonly properties: Readonly<Record<string, string>>
}

export const sendCommand = ({ topic, body, tags, keys, delay, orderKey, properties }: SendWish): string =>
  skua(
    'send',
    topic,
    body === '' ? 'BODY' : body,
    ['--tag', tags],
    ...keys.split(/\s+/).map(key => ['--key', key] as const),
    ['--delay', delay],
    ['--order-key', orderKey],
    ...Object.entries(properties).map(([name, value]) => ['--property', `${name}=${value}`] as const),
  )

export const settingCommand = (address: string, name: string, value: string): string =>
  mqadmin('updateBrokerConfig', ['-b', address], ['-k', name], ['-v', value])

const works = {
  commitLog: 'deleteExpiredCommitLog',
  consumeQueues: 'cleanExpiredCQ',
  unusedTopics: 'cleanUnusedTopic',
} as const

/** Maintenance of a broker. */
export const workCommand = (
  work: 'wipe' | 'allow' | keyof typeof works,
  { name, address }: { readonly name: string; readonly address: string },
): string =>
  work === 'wipe' || work === 'allow'
    ? mqadmin(work === 'wipe' ? 'wipeWritePerm' : 'addWritePerm', ['-b', name])
    : mqadmin(works[work], ['-b', address])

/** Without ids all of the group. */
export const resendCommand = (group: string, ids: readonly string[] | undefined, rate: string): string =>
  skua('dlq', 'resend', group, ...(ids ?? ['--all']), ['--rate', rate])

/** One dead letter, with what was changed: of properties those that are others, and a body that a shell has no good word for in an editor. */
export const letterCommand = (
  group: string,
  id: string,
  {
    isBodyChanged,
    properties,
  }: { readonly isBodyChanged: boolean; readonly properties: Readonly<Record<string, string>> },
): string =>
  skua(
    'dlq',
    isBodyChanged ? 'edit' : 'resend',
    group,
    id,
    ...(isBodyChanged
      ? []
      : Object.entries(properties).map(([name, value]) => ['--property', `${name}=${value}`] as const)),
  )

export const delayedCancelCommand = ({ msgId, topic }: { readonly msgId: string; readonly topic: string }): string =>
  skua('timers', 'cancel', msgId, ['--topic', topic])

/** `time` with its zone. */
export const delayedMoveCommand = (
  { msgId, topic }: { readonly msgId: string; readonly topic: string },
  time: string,
): string => skua('timers', 'move', msgId, ['--topic', topic], ['--to', time])

export const halfCommand = (
  decision: 'commit' | 'rollback',
  half: { readonly msgId: string; readonly brokerName: string; readonly physicalOffset: number },
): string => skua('tx', decision, half.msgId, ['--broker', half.brokerName], ['--physical-offset', half.physicalOffset])

/** An SQL92 filter, or tags. */
export const tailCommand = (topic: string, { tags, sql }: { readonly tags: string; readonly sql: string }): string =>
  skua('tail', topic, ['--tags', tags], ['--sql', tags === '' ? sql : ''])
