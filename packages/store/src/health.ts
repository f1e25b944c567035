import { BrokenInvariant, defineEvent, type Events } from '@skua-mq/runtime'
import type { Refusing } from './message-store.ts'

export const storeRefuses = defineEvent<{ cause: string; remark: string }>('store refuses messages', 'error')
export const storeTakes = defineEvent<{ cause: string }>('store takes messages again', 'warn')

/** What can keep a store from taking messages, the gravest first. */
export type Cause =
  | 'stopped'
  | 'fault'
  | 'log write'
  | 'log sync'
  | 'queue write'
  | 'disk full'
  | 'held'
  | 'replicas'
  | 'slave'
/** Nothing is wrong then, and nobody is told. */
const expected: ReadonlySet<Cause> = new Set(['stopped', 'held', 'slave'])
const order: readonly Cause[] = [
  'stopped',
  'fault',
  'log write',
  'log sync',
  'queue write',
  'disk full',
  'held',
  'replicas',
  'slave',
]

/** Whether the store takes messages, and if not, why. Each cause is set and cleared by the part that watches it. */
export class Health {
  private readonly causes = new Map<Cause, Refusing>()
  private readonly events: Events
  /** The gravest cause; undefined when messages are taken. Read per message. */
  refusing: Refusing | undefined = undefined
  /** Called before that is read for a message, by whoever goes by the time: timers come late to a process that stood still. */
  watch: (() => void) | undefined

  constructor(events: Events) {
    this.events = events
  }

  /** The gravest one; undefined when messages are taken. */
  get cause(): Cause | undefined {
    return order.find(cause => this.causes.has(cause))
  }

  has(cause: Cause): boolean {
    return this.causes.has(cause)
  }

  set(cause: Cause, remark: string): void {
    const known = this.causes.has(cause)
    this.causes.set(cause, { status: 'serviceNotAvailable', remark })
    this.choose()
    if (!known && !expected.has(cause)) this.events.emit(storeRefuses({ cause, remark }))
  }

  clear(cause: Cause): void {
    if (!this.causes.delete(cause)) return
    this.choose()
    if (!expected.has(cause)) this.events.emit(storeTakes({ cause }))
  }

  /**
   * What was caught may be a fault of ours: then nothing that the store says of itself is sure any more. It takes nothing
   * and repairs nothing in this life, and the next start goes by what was written down before.
   */
  distrust(error: unknown): void {
    if (error instanceof BrokenInvariant) this.fault(error)
  }

  fault(error: unknown): void {
    this.set('fault', `${String(error)}; the store is read-only until the broker is started again`)
  }

  private choose(): void {
    const gravest = this.cause
    this.refusing = gravest === undefined ? undefined : this.causes.get(gravest)
  }
}
