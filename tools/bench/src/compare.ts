import { type LoadOptions, type LoadResult, runLoad } from './load.ts'
import type { Contender } from './servers.ts'
import { type Situation, situations } from './situations.ts'
import { warmPages } from './warm-pages.ts'

/** A cold JVM costs two to eight times more per message. */
const warmMessages = 500_000
/** More than a broker writes in one measured round. */
const warmPageBytes = 2 * 1024 ** 3

export interface Cell {
  readonly who: string
  readonly results: LoadResult[]
}

export interface Row {
  readonly situation: Situation
  readonly cells: readonly Cell[]
}

export interface Rounds {
  readonly rounds: number
  readonly seconds: number
}

export const say = (text: string) => process.stderr.write(`${text}\n`)
export const median = (list: readonly number[]): number =>
  [...list].sort((a, b) => a - b)[Math.floor(list.length / 2)] ?? Number.NaN
export const cpuOf = (cell: Cell): number[] => cell.results.map(result => result.brokerCpuUsPerMessage ?? Number.NaN)

/** Until a JVM has compiled what it needs. */
export async function warm(contender: Contender): Promise<void> {
  const load = {
    kind: 'send',
    batch: 1,
    connections: 16,
    window: 16,
    bodyBytes: 128,
    topic: 'Warm',
    queues: 8,
    form: 'json',
    warmupSeconds: 0,
    seconds: 2,
  } as const
  let sent = 0
  while (sent < warmMessages)
    sent += (await runLoad({ ...load, namesrv: contender.namesrv, pid: contender.pid })).messagesPerSecond * 2
}

function loadOf(
  contender: Contender,
  situation: Situation,
  { topic, seconds }: { topic: string; seconds: number },
): LoadOptions {
  return {
    ...situation.load,
    namesrv: contender.namesrv,
    pid: contender.pid,
    topic,
    queues: 8,
    form: 'json',
    seconds,
    warmupSeconds: Math.min(1, seconds),
  }
}

/** Alternated rounds: each contender in turn, in the reverse order every second round. */
export async function measure(
  contenders: readonly Contender[],
  situation: Situation,
  { rounds, seconds }: Rounds,
): Promise<Row> {
  const cells = contenders.map(({ name }) => ({ who: name, results: [] as LoadResult[] }))
  const { fillSeconds } = situation
  const topic = `Bench_${situation.load.bodyBytes}${fillSeconds === undefined ? '' : `_${situations.indexOf(situation)}`}`
  for (let round = 0; round < rounds; round++) {
    const order = round % 2 === 0 ? contenders : [...contenders].reverse()
    for (const contender of order) {
      // Fresh before each round: what is hot has just been written.
      if (fillSeconds !== undefined) {
        const fill = { kind: 'send', connections: 8, window: 16, warmupSeconds: 0 } as const
        const forSeconds = round === 0 ? fillSeconds : 0.01
        await runLoad({ ...loadOf(contender, situation, { topic, seconds: forSeconds }), ...fill })
      }
      if (situation.load.kind === 'send') warmPages(warmPageBytes)
      const result = await runLoad(loadOf(contender, situation, { topic, seconds }))
      if (result.errors > 0) throw new Error(`${situation.name}: ${contender.name} answered ${result.errors} errors`)
      cells.find(cell => cell.who === contender.name)?.results.push(result)
      say(`  ${situation.name} | ${contender.name} | ${JSON.stringify(result)}`)
    }
  }
  return { situation, cells }
}

/** Ratio of medians of CPU per message, and the spread over the rounds: `1/4.0 (1/3.2 to 1/4.1)`. */
export function ratioText(ours: Cell, theirs: Cell): string {
  const [own, other] = [cpuOf(ours), cpuOf(theirs)]
  const each = own.map((value, round) => (other[round] ?? Number.NaN) / value)
  return `1/${(median(other) / median(own)).toFixed(1)} (1/${Math.min(...each).toFixed(1)} to 1/${Math.max(...each).toFixed(1)})`
}
