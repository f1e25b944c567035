import { InvalidArgumentError } from 'commander'
import type { MemberWord } from '../masters/word.ts'
import { oneLine } from './fail.ts'

/** Which broker of a family a process is. */
export interface MemberPlace {
  /** 0 is the first. */
  readonly index: number
  readonly count: number
}

/** `1/4`: the second of four. */
export function memberPlace(text: string): MemberPlace {
  const [, index, count] = /^(\d+)\/([1-9]\d*)$/.exec(text) ?? []
  if (count === undefined || Number(index) >= Number(count)) throw new InvalidArgumentError('INDEX/COUNT is wanted')
  return { index: Number(index), count: Number(count) }
}

/**
 * Runs a broker for the process of its family that started it: that one hears when it is ready, or why it is not, and this one ends
 * when that one has ended, in whatever way.
 */
export async function asMember(run: (ready: (line: string) => void) => Promise<void>): Promise<void> {
  if (process.send === undefined) throw new Error('--member is what skua broker --masters says to its processes')
  const tell = (word: MemberWord, done: () => void = () => {}) => process.send?.(word, undefined, undefined, done)
  // The same door as for everybody else who wants it to stop.
  const orphaned = () => process.kill(process.pid, 'SIGTERM')
  process.once('disconnect', orphaned)
  if (!process.connected) orphaned()
  try {
    await run(line => tell({ ready: line }))
  } catch (error) {
    if (!process.connected) throw error
    tell({ problem: oneLine(error) }, () => process.exit(1))
  }
}
