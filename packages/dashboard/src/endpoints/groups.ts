import {
  AdminError,
  checkGroup,
  consumerRunningInfo,
  consumeSpans,
  deleteGroup,
  each,
  findConsumers,
  groupConfig,
  groupProgress,
  isSystemGroup,
  offsetHistory,
  ownerKey,
  putGroup,
} from '@skua-mq/admin'
import type { Cluster } from '../cluster.ts'
import { endpoint } from '../endpoint.ts'
import { Problem } from '../problem.ts'
import {
  clientIdText,
  clientRow,
  confirmation,
  count,
  cutTo,
  figure,
  groupName,
  known,
  limited,
  ms,
  optionalTopic,
  takenBy,
  told,
} from '../rows.ts'
import { bool, int, list, optional, orNull, record, shape, text, type ValueOf } from '../schema.ts'
import { mustConfirm, mustSayWhere, where } from './where.ts'

const maxGroups = 50_000
/** Rows of a list that are seen at once. */
const maxSeen = 60
/** Members of one group that are shown, and those that are asked for their queues. */
const maxMembers = 5_000
const maxAsked = 64
const maxQueues = 20_000

const groupRow = shape({
  group: told,
  isOwn: bool(),
  enabled: bool(),
  lag: figure,
  /** Store time of the oldest message that was consumed last in a queue that waits; null where nothing waits. */
  oldestMs: figure,
  topics: list(told, { max: 20 }),
  queues: count,
})
/** Changed in place while it is summed up: a copy for each queue of each group costs more than all the rest of the answer. */
type GroupRow = { -readonly [K in keyof ValueOf<typeof groupRow>]: ValueOf<typeof groupRow>[K] } & { topics: string[] }

function addProgress(
  rows: ReadonlyMap<string, GroupRow>,
  one: { readonly group: string; readonly topic: string; readonly diff: number; readonly lastConsumedMs: number },
): void {
  const { group, topic, diff, lastConsumedMs } = one
  const row = rows.get(group)
  if (row === undefined) return
  if (row.topics.length < 20 && !row.topics.includes(topic)) row.topics.push(topic)
  if (diff > 0 && lastConsumedMs > 0) row.oldestMs = Math.min(row.oldestMs ?? Number.MAX_SAFE_INTEGER, lastConsumedMs)
  row.lag = (row.lag ?? 0) + Math.max(0, diff)
  row.queues++
}

/** Every group that a master has settings of. */
export const groups = endpoint({
  name: 'groups',
  method: 'GET',
  role: 'view',
  help: 'Every group with its lag, by name; figures of at most ten seconds ago.',
  params: {},
  timeMs: 40_000,
  answer: limited(groupRow, maxGroups),
  run: ({ cluster }) =>
    cluster.share('group rows', 2_000, async () => {
      const [configs, progress] = await Promise.all([cluster.groupTables(), cluster.progress()])
      const rows = new Map<string, GroupRow>()
      for (const { rows: own } of configs)
        for (const { groupName: group, consumeEnable } of own) {
          const enabled = (rows.get(group)?.enabled ?? false) || consumeEnable
          const isOwn = isSystemGroup(group)
          rows.set(group, { group, isOwn, enabled, lag: null, oldestMs: null, topics: [], queues: 0 })
        }
      for (const { rows: queues } of progress) for (const queue of queues) addProgress(rows, queue)
      const sorted = [...rows.values()].sort((a, b) => (a.group < b.group ? -1 : 1))
      return cutTo(
        sorted,
        maxGroups,
        [...configs, ...progress].flatMap(({ problem }) => problem ?? []),
      )
    }),
})

const memberFigures = shape({ group: told, members: figure, mode: told, versions: list(told, { max: 20 }) })

/** Who is online, of the rows that are seen. */
export const groupMembers = endpoint({
  name: 'groups/members',
  method: 'GET',
  role: 'view',
  help: 'How many members some groups have, and how they consume.',
  params: { groups: list(groupName, { max: maxSeen }) },
  answer: shape({ rows: list(memberFigures, { max: maxSeen }) }),
  run: async ({ cluster }, params) => ({
    rows: await each(params.groups, group => cluster.share(`members ${group}`, 3_000, () => membersOf(cluster, group))),
  }),
})

async function membersOf(cluster: Cluster, group: string): Promise<ValueOf<typeof memberFigures>> {
  try {
    const online = await findConsumers(cluster.session, group)
    const versions = [...new Set(online?.clients.map(({ versionName }) => versionName) ?? [])].slice(0, 20)
    return { group, members: online?.clients.length ?? 0, mode: modeOf(online), versions }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    return { group, members: null, mode: '', versions: [] }
  }
}

const modeOf = (online: Awaited<ReturnType<typeof findConsumers>>): string =>
  online === undefined
    ? ''
    : `${online.consumeType === 'CONSUME_ACTIVELY' ? 'pull' : 'push'} ${online.messageModel.toLowerCase()}`

const queueRow = shape({
  ...{ topic: told, brokerName: told, queueId: int(), brokerOffset: int(), consumerOffset: int() },
  ...{ diff: int(), lastConsumedMs: ms },
})

/** One group. */
export const group = endpoint({
  name: 'group',
  method: 'GET',
  role: 'view',
  help: 'A group: settings, each queue with its lag, members and what they subscribe to.',
  params: { group: groupName },
  answer: shape({
    group: told,
    isOnline: bool(),
    mode: told,
    consumeFrom: told,
    consumeTps: figure,
    lag: count,
    queues: list(queueRow, { max: maxQueues }),
    members: list(clientRow, { max: maxMembers }),
    subscriptions: list(shape({ topic: told, expression: told, type: told }), { max: 1_000 }),
    configs: list(shape({ brokerName: told, address: told, settings: record(told, { max: 100 }) }), { max: 1_000 }),
    problems: list(told, { max: 100 }),
  }),
  run: async ({ cluster }, params) => {
    const { session } = cluster
    const configs = await groupConfig(session, params.group)
    const [progress, online] = await Promise.all([
      groupProgress(session, params.group),
      findConsumers(session, params.group),
    ])
    return {
      group: params.group,
      isOnline: online !== undefined,
      mode: modeOf(online),
      consumeFrom: online?.consumeFromWhere ?? '',
      consumeTps: known(progress.consumeTps),
      lag: Math.max(0, progress.diffTotal),
      queues: progress.queues.slice(0, maxQueues),
      members: (online?.clients ?? []).slice(0, maxMembers),
      subscriptions: (online?.subscriptions ?? []).slice(0, 1_000).map(({ topic, subString, expressionType }) => {
        return { topic, expression: subString, type: expressionType }
      }),
      configs: configs.map(({ brokerName, address: at, config }) => ({
        ...{ brokerName, address: at },
        settings: settingsOf(config),
      })),
      problems: [],
    }
  },
})

/** Texts by their names; what is not set is left out. */
const settingsOf = (config: object): Record<string, string> =>
  Object.fromEntries(
    Object.entries(config)
      .filter(([, value]) => value !== undefined && value !== null)
      .map(([name, value]) => [name, typeof value === 'object' ? JSON.stringify(plain(value)) : String(value)]),
  )

const plain = (value: object): unknown => (value instanceof Map ? Object.fromEntries(value) : value)

/** Asks members, which takes as long as they need. */
export const groupOwners = endpoint({
  name: 'group/owners',
  method: 'GET',
  role: 'view',
  help: 'Which member has each queue and whether members subscribe to the same: asks up to 64 members.',
  params: { group: groupName },
  timeMs: 60_000,
  answer: shape({
    owners: record(told, { max: maxQueues }),
    sameSubscriptions: bool(),
    subscriptions: list(shape({ clientId: told, subscription: told }), { max: maxAsked }),
    findings: list(told, { max: 100 }),
    silent: list(shape({ clientId: told, reason: told }), { max: maxMembers }),
  }),
  run: async ({ cluster }, params) => {
    const online = await findConsumers(cluster.session, params.group)
    if (online === undefined || online.clients.length > maxAsked)
      return { owners: {}, sameSubscriptions: true, subscriptions: [], findings: [], silent: [] }
    const { members, silent, sameSubscriptions, findings } = await checkGroup(cluster.session, params.group)
    const owners = members.flatMap(({ clientId, queues }) => queues.map(queue => [ownerKey(queue), clientId] as const))
    return {
      owners: Object.fromEntries(owners.slice(0, maxQueues)),
      sameSubscriptions,
      subscriptions: members.map(({ clientId, subscriptions }) => ({
        clientId,
        subscription: subscriptions.map(({ topic, subString }) => `${topic} ${subString}`).join(', '),
      })),
      findings: findings.slice(0, 100),
      silent,
    }
  },
})

/** How far behind in time. */
export const groupAges = endpoint({
  name: 'group/ages',
  method: 'GET',
  role: 'view',
  help: 'How far a group is behind in time, for each queue of a topic.',
  params: { group: groupName, topic: text({ min: 1, max: 300 }) },
  answer: limited(shape({ brokerName: told, queueId: int(), delayMs: int(), consumedMs: ms, maxMs: ms }), maxQueues),
  run: async ({ cluster }, params) => {
    const spans = await consumeSpans(cluster.session, params)
    const rows = spans.map(({ brokerName, queueId, delayMs, consumedMs, maxMs }) => {
      return { brokerName, queueId, delayMs, consumedMs, maxMs }
    })
    return cutTo(rows, maxQueues)
  },
})

/** What one member does. */
export const groupMember = endpoint({
  name: 'group/member',
  method: 'GET',
  role: 'view',
  help: 'What a member tells of itself: its queues, figures, and with stack the stacks of its threads.',
  params: { group: groupName, clientId: clientIdText, stack: optional(bool()) },
  answer: shape({
    clientId: told,
    properties: record(told, { max: 1_000 }),
    subscriptions: list(shape({ topic: told, subString: told }), { max: 1_000 }),
    queues: list(
      shape({
        ...{ topic: told, brokerName: told, queueId: int(), commitOffset: int(), cachedMsgCount: int() },
        ...{ cachedMsgSizeInMiB: int(), lastPullMs: ms, lastConsumeMs: ms, locked: bool() },
      }),
      { max: maxQueues },
    ),
    status: record(record(figure, { max: 100 }), { max: 1_000 }),
    stack: orNull(told),
  }),
  run: async ({ cluster }, { group: name, clientId, stack = false }) => {
    const info = await consumerRunningInfo(cluster.session, { group: name, clientId }, { jstack: stack })
    return {
      clientId,
      properties: info.properties,
      subscriptions: info.subscriptions,
      queues: info.queues.slice(0, maxQueues).map(queue => ({
        ...{ topic: queue.topic, brokerName: queue.brokerName, queueId: queue.queueId },
        ...{ commitOffset: queue.commitOffset, cachedMsgCount: queue.cachedMsgCount },
        ...{ cachedMsgSizeInMiB: queue.cachedMsgSizeInMiB, lastPullMs: queue.lastPullTimestamp },
        ...{ lastConsumeMs: queue.lastConsumeTimestamp, locked: queue.locked },
      })),
      status: Object.fromEntries(
        Object.entries(info.status).map(([topic, figures]) => [
          topic,
          Object.fromEntries(Object.entries(figures).map(([name, value]) => [name, known(Number(value))])),
        ]),
      ),
      stack: info.jstack ?? null,
    }
  },
})

/** Who moved it. */
export const groupHistory = endpoint({
  name: 'group/history',
  method: 'GET',
  role: 'view',
  help: 'Moves of the offsets of a group, newest first: resets, commits of tools, clones. Only Skua’s brokers keep them.',
  params: { group: groupName, topic: optionalTopic },
  answer: limited(
    shape({
      ...{ atMs: ms, address: told, topic: told, queueId: int(), from: orNull(int()), to: orNull(int()) },
      ...{ who: told, request: told },
    }),
    1_000,
  ),
  run: async ({ cluster }, params) => {
    const { moves, without } = await offsetHistory(cluster.session, params)
    const rows = [...moves].reverse().map(({ atMs, address: at, topic, queueId, from, to, who, request }) => {
      return { atMs, address: at, topic, queueId, from: from ?? null, to: to ?? null, who, request: request ?? '' }
    })
    return cutTo(rows, 1_000, without)
  },
})

/** Creates or changes. */
export const groupPut = endpoint({
  name: 'group/put',
  method: 'POST',
  role: 'admin',
  help: 'Creates a group, or changes some of its settings; the others stay as they are.',
  params: {
    group: groupName,
    ...where,
    consumeEnable: optional(bool()),
    consumeBroadcastEnable: optional(bool()),
    consumeMessageOrderly: optional(bool()),
    retryQueueNums: optional(int({ min: 0, max: 1_000 })),
    retryMaxTimes: optional(int({ min: -1, max: 10_000 })),
  },
  answer: takenBy,
  run: async ({ cluster }, { group: name, clusterName, brokerAddr, ...settings }) => {
    const at = mustSayWhere({ clusterName, brokerAddr })
    const tables = await cluster.groupTables()
    const before = tables.flatMap(({ rows }) => rows).find(({ groupName: one }) => one === name)
    const changed = Object.fromEntries(Object.entries(settings).filter(([, value]) => value !== undefined))
    const all = { consumeBroadcastEnable: true, ...before, ...changed, groupName: name }
    return { addresses: await putGroup(cluster.session, at, all) }
  },
})

/** With its retries and dead letters. */
export const groupDelete = endpoint({
  name: 'group/delete',
  method: 'POST',
  role: 'admin',
  help: 'Deletes a group with its offsets, retries and dead letters.',
  params: { group: groupName, clusterName: text({ min: 1, max: 255 }), confirm: confirmation },
  answer: takenBy,
  run: async ({ cluster }, { group: name, clusterName, confirm }) => {
    mustConfirm(confirm, name)
    const online = await findConsumers(cluster.session, name)
    if (online !== undefined)
      throw new Problem(
        409,
        'ONLINE',
        `${online.clients.length} members of ${name} are online and would make it again: stop them`,
      )
    return { addresses: await deleteGroup(cluster.session, { clusterName }, { group: name, removeOffset: true }) }
  },
})
