import { type AdminSession, checkGroup, each, groupSummaries } from '@skua-mq/admin'
import { delay } from '@skua-mq/runtime'
import { whole } from '../frame/flag.ts'
import { type Context, stream } from '../frame/subcommand.ts'
import { lines } from '../frame/table.ts'
import { timeText } from '../frame/time-text.ts'

interface Finding {
  readonly atMs: number
  readonly group: string
  readonly finding: string
}

const flags = {
  interval: whole('i', 'interval', 'seconds between two rounds; 0 ends after one (default: 60)'),
  level: whole('l', 'level', 'tell of groups for which more messages wait (default: 100000)'),
}

export const startMonitoring = stream({
  requests: '206, 208, 203, 307',
  notes: 'Looks at all groups again and again, until it is stopped; only what is wrong is printed',
  flags,
  stream: async function* ({ session, flags: { interval = 60, level = 100_000 } }: Context<typeof flags>) {
    for (;;) {
      yield* await round(session, level)
      if (interval === 0) return
      await delay(session.runtime.clock, interval * 1000)
    }
  },
  show: ({ atMs, group, finding }) => [lines(`${timeText(atMs)} ${group}: ${finding}`)],
})

async function round(session: AdminSession, level: number): Promise<Finding[]> {
  const groups = await groupSummaries(session)
  const found = await each(groups, async ({ group, count, diffTotal, problem }) => {
    const waiting = diffTotal > level ? [`${diffTotal} messages wait`] : []
    const unknown = problem === undefined ? [] : [problem]
    const inside = count > 0 ? await insideOf(session, group) : []
    return [...unknown, ...waiting, ...inside].map(finding => ({ group, finding }))
  })
  const atMs = session.runtime.clock.now()
  return found.flat().map(one => ({ atMs, ...one }))
}

/** A group may end while it is looked at. */
async function insideOf(session: AdminSession, group: string): Promise<string[]> {
  try {
    const { findings, silent } = await checkGroup(session, group)
    return [...findings, ...silent.map(({ clientId, reason }) => `${clientId} does not answer: ${reason}`)]
  } catch (error) {
    return [(error as Error).message]
  }
}
