import type { GroupSettings } from '@skua-mq/admin'
import type { BrokerConfig, TopicPlan } from '@skua-mq/broker'
import type { Events } from '@skua-mq/runtime'
import type { Patience } from './clock/quiet.ts'
import type { SeedMessage } from './look/seed.ts'
import { checkShape, integer, list, object, oneOf, port, type Shape, text, textOrList, time } from './shape.ts'

/** What `startBroker` takes. */
export interface StartBrokerOptions {
  /** `memory` (default), or a directory: what lies there is kept, and is there after the end. */
  readonly store?: string | undefined
  /**
   * `virtual`: time stands until `clock.advance`, for the broker and for the clients that the test makes with `broker.client`.
   * `real` (default): the machine's.
   */
  readonly clock?: 'virtual' | 'real' | undefined
  /** Where a virtual clock begins. Default 2026-01-01T00:00:00Z. */
  readonly startTime?: Date | string | number | undefined
  /** Topics that are there before the first client is: names, or `{ name, queues, type }`. */
  readonly topics?: readonly (string | TopicPlan)[] | undefined
  /** Consumer groups: names, or RocketMQ's settings. */
  readonly groups?: readonly (string | GroupSettings)[] | undefined
  /** Messages that are there before the first client is: a file of JSON lines, or the messages. */
  readonly seed?: string | readonly SeedMessage[] | undefined
  /** Of all that is chosen by chance. The same seed, the same run. Default 1. */
  readonly random?: number | undefined
  /** RocketMQ's keys, over the defaults of the kit. */
  readonly config?: Partial<BrokerConfig> | undefined
  /** Port of the broker; by default all ports are free ones. */
  readonly port?: number | undefined
  readonly nameServerPort?: number | undefined
  /** Told what happens, as a log is. */
  readonly events?: Events | undefined
  /** How long the machine's own time is waited for. */
  readonly patience?: Partial<Patience> | undefined
}

const shape: Shape<StartBrokerOptions> = {
  store: text,
  clock: oneOf('virtual', 'real'),
  startTime: time,
  topics: list,
  groups: list,
  seed: textOrList,
  random: integer,
  config: object,
  port,
  nameServerPort: port,
  events: object,
  patience: object,
}

/** Throws a TypeError for options that there are none of, and for values that mean nothing. */
export function checkStartOptions(options: object): void {
  checkShape(options, shape, { what: 'startBroker', member: 'option' })
}
