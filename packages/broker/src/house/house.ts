import type { SubscriptionData } from '@skua-mq/protocol'
import type {
  AnyHotRoute,
  Door,
  FullGate,
  Gate,
  RequestObserver,
  Route,
  SlowObserver,
  SwitchedGate,
} from '@skua-mq/remoting'
import type { Service } from '@skua-mq/runtime'
import type { MetricSource } from '../metrics/source.ts'
import type { PullStop } from '../pull/pull-handler.ts'
import type { SendStep } from '../send/send-step.ts'
import type { Added, Ears, Feature } from './feature.ts'
import type { Table } from './table.ts'

const lists = [
  ...(['hot', 'routes', 'steps', 'gates', 'fullGates', 'doors', 'tables'] as const),
  ...(['around', 'services', 'presence', 'metrics'] as const),
]

/** All that the features have added so far. Whoever keeps it sees what comes later; whoever copies it does not. */
export class Furniture implements Required<Ears> {
  readonly hot: AnyHotRoute[] = []
  readonly routes: Route[] = []
  readonly steps: SendStep[] = []
  readonly gates: (Gate | SwitchedGate)[] = []
  readonly fullGates: FullGate[] = []
  readonly doors: Door[] = []
  readonly tables: Table[] = []
  readonly around: Service[] = []
  readonly services: Service[] = []
  readonly presence: Service[] = []
  readonly metrics: MetricSource[] = []
  observer: RequestObserver | undefined
  slow: SlowObserver | undefined
  private readonly gauges = new Map<string, () => number>()
  private readonly tellers: (() => Readonly<Record<string, string>>)[] = []
  private readonly announcers: (() => Promise<void>)[] = []
  private readonly settlers: (() => Promise<void>)[] = []
  private readonly ears: Ears[] = []

  add(added: Added): void {
    for (const list of lists) (this[list] as unknown[]).push(...(added[list] ?? []))
    for (const [name, gauge] of Object.entries(added.gauges ?? {})) this.gauges.set(name, gauge)
    if (added.tells !== undefined) this.tellers.push(added.tells)
    this.observer = added.observer ?? this.observer
    this.slow = added.slow ?? this.slow
    if (added.announce !== undefined) this.announcers.push(added.announce)
    if (added.deletionSettled !== undefined) this.settlers.push(added.deletionSettled)
    this.ears.push(added)
  }

  /** What all tell together. */
  told(): Readonly<Record<string, string>> {
    return Object.assign({}, ...this.tellers.map(tell => tell()))
  }

  /** A figure that a feature tells; 0 where none does. */
  gauge(name: string): number {
    return this.gauges.get(name)?.() ?? 0
  }

  /** Resolves when the disk holds a change and the name servers know of it, or do not answer. */
  async announced(): Promise<void> {
    for (const announce of this.announcers) await announce()
  }

  /** Resolves when all that followed a deletion is on disk. */
  async deletionsSettled(): Promise<void> {
    await Promise.all(this.settlers.map(settled => settled()))
  }

  topicDeleted(topic: string): void {
    this.tellAll(ear => ear.topicDeleted?.(topic))
  }

  groupGone(group: string, logEnd: number): void {
    this.tellAll(ear => ear.groupGone?.(group, logEnd))
  }

  groupDeleted(group: string, by: string): void {
    this.tellAll(ear => ear.groupDeleted?.(group, by))
  }

  /** What is deleted is gone for all, also where one of them fails. Throws the first error. */
  private tellAll(tell: (ear: Ears) => void): void {
    const errors: unknown[] = []
    for (const ear of this.ears) {
      try {
        tell(ear)
      } catch (error) {
        errors.push(error)
      }
    }
    if (errors.length > 0) throw errors[0]
  }

  offsetReset(topic: string, queueId: number): void {
    for (const ear of this.ears) ear.offsetReset?.(topic, queueId)
  }

  subscribed(group: string, subscription: SubscriptionData): void {
    for (const ear of this.ears) ear.subscribed?.(group, subscription)
  }

  refusalOf(subscription: SubscriptionData): PullStop | undefined {
    for (const ear of this.ears) {
      const refusal = ear.refusalOf?.(subscription)
      if (refusal !== undefined) return refusal
    }
    return undefined
  }
}

/** Features put in one after another: the compiler sees that each finds what it needs in those before it. */
export class House<Context extends { readonly furniture: Furniture }> {
  readonly context: Context

  constructor(context: Context) {
    this.context = context
  }

  with<Gives extends object>(feature: Feature<Context, Gives>): House<Context & Gives> {
    const { gives, ...added } = feature.make(this.context)
    this.context.furniture.add(added)
    return new House({ ...this.context, ...gives } as Context & Gives)
  }
}
