import { DiskFaults, type Duration, milliseconds } from '@skua-mq/runtime'
import type { Exchange } from '../net/exchange.ts'
import { type AnswerAction, type Fault, type FaultTarget, type RequestAction, Rule, responseCodeOf } from './rule.ts'

/** What a refusal says. */
export interface Refusing extends FaultTarget {
  /** By number, or by its name: SYSTEM_BUSY, TOPIC_NOT_EXIST, FLUSH_DISK_TIMEOUT, … */
  readonly code: number | string
  readonly remark?: string | undefined
}

/** What can go wrong between a test's broker and its clients, and with its disk. Nothing does at first. */
export interface TestFaults {
  /** The broker does what it is asked, and the client never hears of it. */
  dropAnswer(target?: FaultTarget): Fault
  /** The request never arrives. */
  loseRequest(target?: FaultTarget): Fault
  /** Answers come so much later; without `by` when the fault is released. */
  delayAnswer(target?: FaultTarget & { readonly by?: Duration | undefined }): Fault
  /** The answer comes twice. */
  duplicateAnswer(target?: FaultTarget): Fault
  /** The connection breaks when so many bytes of the answer have left; default 0. */
  cut(target?: FaultTarget & { readonly afterBytes?: number | undefined }): Fault
  /** The broker refuses without having done anything. */
  refuse(target: Refusing): Fault
  /** Nobody gets anything of the topic, or of one queue of it, until it is released. */
  pauseQueue(target: FaultTarget & { readonly topic: string }): Fault
  /** Each fsync takes so long. */
  slowSync(by: Duration): Fault
  /** The disk has room for so many bytes more; default 0. */
  fullDisk(room?: number): Fault
  /** Calls of the disk fail with the system's code, e.g. EIO. */
  brokenDisk(fault: {
    readonly on: 'read' | 'write' | 'sync' | 'open' | 'names'
    readonly code?: string | undefined
    readonly times?: number | undefined
  }): Fault
  /** All faults are released. */
  clear(): void
}

/** Where the wires look. */
export class Faults implements TestFaults {
  /** What the disk looks at. */
  readonly disk = new DiskFaults()
  private readonly rules = new Set<Rule>()
  private readonly others = new Set<Fault>()

  /** Whether anybody has to look at all. */
  get isIdle(): boolean {
    return this.rules.size === 0
  }

  /** The first rule for a request, if any; it has happened then. */
  forRequest(exchange: Exchange): (Rule & { readonly onRequest: RequestAction }) | undefined {
    return this.first(rule => rule.onRequest !== undefined && rule.takes(exchange)) as never
  }

  forAnswer(exchange: Exchange, isFound: boolean): (Rule & { readonly onAnswer: AnswerAction }) | undefined {
    const mayTake = ({ onAnswer }: Rule) => onAnswer !== undefined && (onAnswer.kind !== 'hold found' || isFound)
    return this.first(rule => mayTake(rule) && rule.takes(exchange)) as never
  }

  private first(isMeant: (rule: Rule) => boolean): Rule | undefined {
    for (const rule of this.rules) if (isMeant(rule)) return rule
    return undefined
  }

  dropAnswer(target: FaultTarget = {}): Fault {
    return this.add(target, { onAnswer: { kind: 'drop' } })
  }

  loseRequest(target: FaultTarget = {}): Fault {
    return this.add(target, { onRequest: { kind: 'lose' } })
  }

  delayAnswer({ by, ...target }: FaultTarget & { readonly by?: Duration | undefined } = {}): Fault {
    const ms = by === undefined ? undefined : milliseconds(by)
    return this.add(target, { onAnswer: { kind: 'delay', ms } })
  }

  duplicateAnswer(target: FaultTarget = {}): Fault {
    return this.add(target, { onAnswer: { kind: 'duplicate' } })
  }

  cut({ afterBytes = 0, ...target }: FaultTarget & { readonly afterBytes?: number | undefined } = {}): Fault {
    return this.add(target, { onAnswer: { kind: 'cut', afterBytes } })
  }

  refuse({ code, remark, ...target }: Refusing): Fault {
    const number = responseCodeOf(code)
    return this.add(target, {
      onRequest: { kind: 'refuse', code: number, remark: remark ?? `the test refuses this with code ${number}` },
    })
  }

  pauseQueue(target: FaultTarget & { readonly topic: string }): Fault {
    if (typeof target?.topic !== 'string') throw new TypeError('pauseQueue needs a topic')
    const actions = { onRequest: { kind: 'hold' }, onAnswer: { kind: 'hold found' } } as const
    const faults = ['pull', 'pop'].map(request => this.add({ ...target, request }, actions))
    return joined(faults)
  }

  slowSync(by: Duration): Fault {
    return this.ofDisk(this.disk.slow({ on: 'sync', ms: milliseconds(by) }))
  }

  fullDisk(room = 0): Fault {
    this.disk.bytesUntilFull = room
    return this.ofDisk(() => {
      this.disk.bytesUntilFull = Number.POSITIVE_INFINITY
    })
  }

  brokenDisk({ on, code = 'EIO', times }: Parameters<TestFaults['brokenDisk']>[0]): Fault {
    return this.ofDisk(this.disk.fail({ on, code, ...(times === undefined ? {} : { times }) }))
  }

  clear(): void {
    for (const fault of [...this.rules, ...this.others]) fault.release()
    this.disk.clear()
  }

  private add(target: FaultTarget, actions: ConstructorParameters<typeof Rule>[1]): Fault {
    const rule = new Rule(target, actions, over => this.rules.delete(over))
    this.rules.add(rule)
    return rule
  }

  private ofDisk(lift: () => void): Fault {
    const fault: Fault = {
      hits: 0,
      release: () => {
        this.others.delete(fault)
        lift()
      },
    }
    this.others.add(fault)
    return fault
  }
}

const joined = (faults: readonly Fault[]): Fault => ({
  get hits() {
    return faults.reduce((sum, { hits }) => sum + hits, 0)
  },
  release: () => {
    for (const fault of faults) fault.release()
  },
})
