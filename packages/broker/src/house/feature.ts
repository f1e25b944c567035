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
import type { Table } from './table.ts'

/** What a feature hears of others, without knowing who they are. */
export interface Ears {
  /** A topic was deleted, in the same moment. */
  readonly topicDeleted?: (topic: string) => void
  /** A group was deleted, with its offsets or without; `logEnd`: where the log ended when it left the table, before the disk took that. */
  readonly groupGone?: (group: string, logEnd: number) => void
  /** A group was deleted together with its offsets, by whoever has this address. */
  readonly groupDeleted?: (group: string, by: string) => void
  /** A group goes on elsewhere in a queue: what is held there is looked at again. */
  readonly offsetReset?: (topic: string, queueId: number) => void
  /** A group's heartbeat has brought a subscription that was not refused. */
  readonly subscribed?: (group: string, subscription: SubscriptionData) => void
  /** Asked before: why a subscription cannot be served here. */
  readonly refusalOf?: (subscription: SubscriptionData) => PullStop | undefined
}

/** What a feature adds to a broker. Everything is optional. */
export interface Added extends Ears {
  readonly hot?: readonly AnyHotRoute[]
  readonly routes?: readonly Route[]
  /** What becomes of messages that are not stored as they come, in the order of the features. */
  readonly steps?: readonly SendStep[]
  /** Asked before every request; a switched one only while it is on. */
  readonly gates?: readonly (Gate | SwitchedGate)[]
  /** The same with all fields and the body; asked first. */
  readonly fullGates?: readonly FullGate[]
  /** Asked before a connection is taken. */
  readonly doors?: readonly Door[]
  readonly tables?: readonly Table[]
  /** Begin before the store is opened; end behind it. */
  readonly around?: readonly Service[]
  /** Begin when the tables are loaded and before the broker answers; end after it. */
  readonly services?: readonly Service[]
  /** Begin once the broker answers; end before it does. */
  readonly presence?: readonly Service[]
  /** Figures that others tell: a number now. */
  readonly gauges?: Readonly<Record<string, () => number>>
  /** Lines of the runtime information (28) that are not always there. */
  readonly tells?: () => Readonly<Record<string, string>>
  /** Figures for metrics. Who counts something for them alone does so under `measures` of the ground. */
  readonly metrics?: readonly MetricSource[]
  /** Told of every answered request; there is one. */
  readonly observer?: RequestObserver
  /** Told of requests that took long; there is one. */
  readonly slow?: SlowObserver
  /** Resolves when what followed the deletion of a topic or a group is on disk. */
  readonly deletionSettled?: () => Promise<void>
  /** What the name servers must hear, or the disk hold, before a change is announced. */
  readonly announce?: () => Promise<void>
}

/**
 * One thing that a broker can do. `make` gets what it needs from the ground and from the features before it, makes its
 * parts, and begins nothing. `gives`: what features behind it may need.
 */
export interface Feature<Needs, Gives extends object = object> {
  readonly name: string
  readonly make: (needs: Needs) => Added & { readonly gives?: Gives }
}
