import { type Clock, defineEvent, type Events, type Timer } from '@skua-mq/runtime'
import type { FamilyMember } from './family.ts'
import type { MemberProcess } from './member-process.ts'
import type { MemberWord } from './word.ts'

export const memberEnded = defineEvent<{ broker: string; pid: number | undefined; why: string; againInMs: number }>(
  'a master of the family has ended, and is started again',
  'error',
)
export const memberIsBack = defineEvent<{ broker: string; pid: number | undefined; ms: number }>(
  'a master of the family is back',
  'warn',
)

/** Between an end and the next start: twice as long each time that it does not get there, up to the last. */
export const firstPauseMs = 1000
export const longestPauseMs = 30_000
/** Who ran for so long begins with the first pause again. */
export const steadyMs = 60_000

export interface KeptAliveParts {
  readonly clock: Pick<Clock, 'after' | 'monotonic'>
  readonly events: Events
  readonly start: (member: FamilyMember) => MemberProcess
}

/** One broker of a family: its process, and the next one after that has ended, until it is told to end. */
export class KeptAlive {
  readonly member: FamilyMember
  private readonly parts: KeptAliveParts
  private running: MemberProcess | undefined
  private pause: Timer | undefined
  private failures = 0
  private isEnding = false

  constructor(member: FamilyMember, parts: KeptAliveParts) {
    this.member = member
    this.parts = parts
  }

  /** Resolves with the line of its start; rejects where the first process ends before, which is not started again. */
  async begin(): Promise<string> {
    const process = this.launched()
    const word = await firstWord(process)
    if ('problem' in word) throw new Error(`${this.member.brokerName} does not start: ${word.problem}`)
    this.guard(process)
    return word.ready
  }

  /** No further process is started, and the one that runs is told to end. */
  end(): void {
    this.isEnding = true
    this.pause?.cancel()
    this.running?.terminate()
  }

  /** Resolves when no process of it runs. */
  async ended(): Promise<void> {
    await this.running?.ended
  }

  private launched(): MemberProcess {
    const process = this.parts.start(this.member)
    this.running = process
    return process
  }

  private guard(process: MemberProcess): void {
    const sinceMs = this.parts.clock.monotonic()
    process.ended.then(why => {
      if (this.parts.clock.monotonic() - sinceMs >= steadyMs) this.failures = 0
      this.again(process, why)
    })
  }

  private again(process: MemberProcess, why: string): void {
    if (this.isEnding) return
    const { clock, events } = this.parts
    const againInMs = Math.min(longestPauseMs, firstPauseMs * 2 ** this.failures++)
    events.emit(memberEnded({ broker: this.member.brokerName, pid: process.pid, why, againInMs }))
    this.pause = clock.after(againInMs, () => void this.restart())
  }

  private async restart(): Promise<void> {
    const { clock, events } = this.parts
    const begunMs = clock.monotonic()
    const process = this.launched()
    const word = await firstWord(process)
    if ('problem' in word) {
      await process.ended
      this.again(process, word.problem)
      return
    }
    events.emit(
      memberIsBack({
        broker: this.member.brokerName,
        pid: process.pid,
        ms: Math.round(clock.monotonic() - begunMs),
      }),
    )
    this.guard(process)
  }
}

/** An end without a word is a problem as well. */
const firstWord = (process: MemberProcess): Promise<MemberWord> =>
  Promise.race([
    new Promise<MemberWord>(resolve => process.onWord(resolve)),
    process.ended.then(why => ({ problem: why })),
  ])
