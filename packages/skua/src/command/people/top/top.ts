import { AdminError } from '@skua-mq/admin'
import { delay } from '@skua-mq/runtime'
import { type Block, emptyLine, lines, table } from '../../mqadmin/frame/table.ts'
import { timeText } from '../../mqadmin/frame/time-text.ts'
import { countText } from '../figures.ts'
import type { Given } from '../frame.ts'
import { liveCommand, type Room } from '../live.ts'
import { type GroupRate, ratesOf, type TopicRate } from './rates.ts'
import { type Reading, readAll } from './reading.ts'

/** A picture of what happens. */
export interface Tick {
  /** ms since 1970. */
  readonly atMs: number
  readonly topics: readonly TopicRate[]
  readonly groups: readonly GroupRate[]
  /** Topics and groups beyond those that are looked at. */
  readonly leftOut: number
  /** Why this is not new: brokers or name servers do not answer. */
  readonly problem?: string
}

interface Options {
  /** Seconds. */
  readonly interval: number
  readonly count?: number
}

/** `skua top`. */
export const top = liveCommand({
  async *ticks({ session, options }: Given<Options>, signal) {
    const { clock } = session.runtime
    let before = await readAll(session)
    let last: Tick = { atMs: clock.now(), ...ratesOf(before, before), leftOut: before.leftOut }
    for (let made = 0; made < (options.count ?? Number.POSITIVE_INFINITY); made++) {
      await delay(clock, options.interval * 1000, signal)
      const after = await unlessSilent(() => readAll(session))
      if (after instanceof AdminError) {
        yield { ...last, problem: after.message }
        continue
      }
      last = { atMs: clock.now(), ...ratesOf(before, after), leftOut: after.leftOut }
      before = after
      yield last
    }
  },
  show: (tick: Tick, room) => {
    const { topics, groups } = tick
    // Half of what is below the titles for each, and what one does not need for the other.
    const free = room === undefined ? Number.POSITIVE_INFINITY : Math.max(2, room.rows - 7)
    const forGroups = Math.min(groups.length, Math.max(Math.floor(free / 2), free - topics.length))
    return [
      headLines(tick, room),
      emptyLine,
      groupTable(groups.slice(0, forGroups)),
      emptyLine,
      topicTable(topics.slice(0, free - forGroups)),
    ]
  },
})

async function unlessSilent(read: () => Promise<Reading>): Promise<Reading | AdminError> {
  try {
    return await read()
  } catch (error) {
    if (error instanceof AdminError) return error
    throw error
  }
}

function headLines({ atMs, topics, groups, leftOut, problem }: Tick, room: Room | undefined): Block {
  const sum = (numbers: readonly number[]): number => numbers.reduce((all, one) => all + one, 0)
  const into = countText(sum(topics.map(({ inPerSecond }) => inPerSecond)))
  const out = countText(sum(groups.map(({ consumedPerSecond }) => consumedPerSecond)))
  const lag = countText(sum(groups.map(group => group.lag)))
  const more = leftOut === 0 ? '' : `, ${leftOut} topics and groups not looked at`
  const note = problem ?? (room === undefined ? undefined : 'q quits')
  return lines(
    `${timeText(atMs)}  in ${into}/s, consumed ${out}/s, ${lag} waiting${more}`,
    ...(note === undefined ? [] : [note]),
  )
}

const groupTable = (rows: readonly GroupRate[]): Block =>
  table(
    [
      { title: 'GROUP', cell: row => row.group },
      { title: 'MEMBERS', cell: row => row.members, right: true },
      { title: 'CONSUMED/S', cell: row => countText(row.consumedPerSecond), right: true },
      { title: 'LAG', cell: row => countText(row.lag), right: true },
      { title: 'LAG/S', cell: row => `${row.lagPerSecond > 0 ? '+' : ''}${countText(row.lagPerSecond)}`, right: true },
    ],
    rows,
  )

const topicTable = (rows: readonly TopicRate[]): Block =>
  table(
    [
      { title: 'TOPIC', cell: row => row.topic },
      { title: 'IN/S', cell: row => countText(row.inPerSecond), right: true },
      { title: 'MESSAGES', cell: row => countText(row.messages), right: true },
    ],
    rows,
  )
