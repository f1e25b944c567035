import { commitResets, newest, type ResetResult, resetOffsets } from '@skua-mq/admin'
import { needed, text, timeOf, toggle, truth } from '../frame/flag.ts'
import { subcommand } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'
import { resetTable } from './reset-table.ts'

const whose = {
  group: needed(text('g', 'group', 'name of the consumer group')),
  topic: needed(text('t', 'topic', 'name of the topic')),
}
const force = truth('f', 'force', 'also forward; false only goes back (default: true)')
const timestamp = needed({
  short: 's',
  long: 'timestamp',
  help: 'now, milliseconds since 1970, or yyyy-MM-dd#HH:mm:ss:SSS in local time',
  value: 'time',
  parse: (given: string): number | undefined => (given.trim() === 'now' ? newest : timeOf(given.trim())),
})

interface Given {
  readonly group: string
  readonly topic: string
  readonly timestamp: number
  readonly force?: boolean | undefined
}

const show = (result: ResetResult, { group, topic, timestamp: at, force: isForced = true }: Given) => [
  lines(
    `rollback consumer offset by specified group[${group}], topic[${topic}], force[${isForced}], timestamp(long)[${at}]`,
  ),
  resetTable(result),
]

export const resetOffsetByTime = subcommand({
  requests: '105, 222; nobody online: 208, 29, 15',
  notes: 'Members that run go there, too',
  changes: true,
  flags: {
    ...whose,
    timestamp,
    force,
    cplus: toggle('c', 'cplus', 'taken, and not needed here: each member is told in its form'),
  },
  run: ({ session, flags: { group, topic, timestamp: timestampMs, force: isForced } }) =>
    resetOffsets(session, { group, topic, timestampMs, force: isForced }),
  show: (result, { flags }) => show(result, flags),
})

export const resetOffsetByTimeOld = subcommand({
  requests: '105, 208, 202, 29, 15',
  notes: 'Commits the offsets, whoever is online: only for groups that do not run',
  changes: true,
  flags: { ...whose, timestamp, force },
  run: ({ session, flags: { group, topic, timestamp: timestampMs, force: isForced } }) =>
    commitResets(session, { group, topic, timestampMs, force: isForced }),
  show: (result, { flags }) => show(result, flags),
})

export const skipAccumulatedMessage = subcommand({
  requests: '105, 222; nobody online: 208, 30, 15',
  notes: 'The group goes on at the end of each queue, and never gets what waits now',
  changes: true,
  flags: { ...whose, force },
  run: ({ session, flags: { group, topic, force: isForced } }) =>
    resetOffsets(session, { group, topic, timestampMs: newest, force: isForced }),
  show: result => [resetTable(result)],
})
