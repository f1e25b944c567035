import { allowWrites, type Joined, join, leave, type Remaining, remainingAt, stopWrites } from '@skua-mq/admin'
import { brokerOptions } from '@skua-mq/broker'
import { delay } from '@skua-mq/runtime'
import { lines } from '../mqadmin/frame/table.ts'
import { countText } from './figures.ts'
import { type Given, personCommand } from './frame.ts'

interface DrainOptions {
  readonly wait: number
  readonly quiet: number
  readonly ignore?: readonly string[]
  readonly undo?: boolean
}

/** How a drain ended. */
export interface Drained {
  readonly broker: string
  readonly by: 'left' | 'undone' | 'not in time'
  /** Who is out of the name servers now: the broker and its slaves. */
  readonly left: readonly string[]
  readonly remaining: Remaining | null
}

const lookMs = 2000

/** `skua broker drain NAME`. */
export const brokerDrain = personCommand({
  run: async (given: Given<DrainOptions>): Promise<Drained> => {
    const { session, words, options } = given
    const broker = words[0]!
    if (options.undo === true) {
      await allowWrites(session, broker)
      return { broker, by: 'undone', left: [], remaining: null }
    }
    await stopWrites(session, broker)
    const { remaining, isDrained } = await untilDrained(given, broker)
    if (!isDrained) return { broker, by: 'not in time', left: [], remaining }
    return { broker, by: 'left', left: await leave(session, broker), remaining }
  },
  show: ({ by, broker, left }) => [
    lines(
      by === 'left'
        ? `${broker} has left: ${left.join(', ')} may be stopped. brokerPermission and namesrvAddr were changed in its configuration`
        : by === 'undone'
          ? `${broker} takes messages again`
          : `${broker} takes no more messages, and has not left; run the command again, or undo it with --undo`,
    ),
  ],
  problems: ({ by, remaining }) =>
    by !== 'not in time' || remaining === null ? [] : ['not in time', ...whatIsLeft(remaining)],
})

const isEmpty = ({ waiting, later }: Remaining): boolean => waiting.length === 0 && later === 0

const whatIsLeft = ({ waiting, later }: Remaining): string[] => [
  ...waiting.map(({ topic, group, messages }) => `${countText(messages)} messages of ${topic} wait for ${group}`),
  ...(later === 0 ? [] : [`${countText(later)} delayed messages, timers or undecided transactions are left`]),
]

/** Clients go by their routes for half a minute: nothing may have come for longer, and nothing be left. */
async function untilDrained(
  { session, options, say }: Given<DrainOptions>,
  broker: string,
): Promise<{ readonly remaining: Remaining; readonly isDrained: boolean }> {
  const { clock } = session.runtime
  const until = clock.monotonic() + options.wait * 1000
  const ignored = new Set(options.ignore)
  let quietSince = clock.monotonic()
  let end = -1
  let told = ''
  for (;;) {
    const all = await remainingAt(session, broker)
    const remaining = { ...all, waiting: all.waiting.filter(({ group }) => !ignored.has(group)) }
    if (remaining.logEnd !== end) quietSince = clock.monotonic()
    end = remaining.logEnd
    const isQuiet = clock.monotonic() - quietSince >= options.quiet * 1000
    const isDrained = isQuiet && isEmpty(remaining)
    if (isDrained || clock.monotonic() >= until) return { remaining, isDrained }
    const text =
      whatIsLeft(remaining).join('; ') || 'nothing is left; clients may still send by the routes that they know'
    if (text !== told) await say(lines(text))
    told = text
    await delay(clock, lookMs)
  }
}

/** What says who a broker is, or where it stands, is not another one's. */
const own: ReadonlySet<string> = new Set(['namesrvAddr', 'brokerPermission', 'startAcceptSendRequestTimeStamp'])

/** `skua broker join NAME --like NAME`. */
export const brokerJoin = personCommand({
  run: ({ session, words, options }: Given<{ readonly like: string }>): Promise<Joined> => {
    const live = Object.entries(brokerOptions).filter(([key, option]) => option.live === true && !own.has(key))
    return join(session, { name: words[0]!, like: options.like, keys: live.map(([key]) => key) })
  },
  show: ({ broker, groups, topics, settings }) => [
    lines(
      `${broker.brokerName} (${broker.address}) has ${groups.length} groups and ${topics.length} topics now, and gets messages within half a minute`,
      ...Object.entries(settings).map(([key, value]) => `set there: ${key}=${value}`),
    ),
  ],
})
