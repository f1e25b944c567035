import { inspect } from 'node:util'
import type { GroupSettings } from '@skua-mq/admin'
import type { BrokerConfig, TopicPlan } from '@skua-mq/broker'
import { didYouMean, type Events } from '@skua-mq/runtime'
import type { Patience } from './clock/quiet.ts'
import type { SeedMessage } from './look/seed.ts'

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

/** What each option may be, for those who write JavaScript; the compiler sees that none is missing. */
const rules: Readonly<Record<keyof StartBrokerOptions, (value: unknown) => boolean>> = {
  store: isText,
  clock: value => value === 'virtual' || value === 'real',
  startTime: value => value instanceof Date || isText(value) || typeof value === 'number',
  topics: Array.isArray,
  groups: Array.isArray,
  seed: value => isText(value) || Array.isArray(value),
  random: Number.isSafeInteger,
  config: isObject,
  port: isPort,
  nameServerPort: isPort,
  events: isObject,
  patience: isObject,
}

/** Throws a TypeError for options that there are none of, and for values that mean nothing. */
export function checkStartOptions(options: object): void {
  for (const [name, value] of Object.entries(options)) {
    const isRight = rules[name as keyof StartBrokerOptions]
    if (isRight === undefined)
      throw new TypeError(`startBroker has no option ${name}${didYouMean(name, Object.keys(rules))}`)
    if (value !== undefined && !isRight(value)) {
      const must = name === 'clock' ? "'virtual' or 'real'" : 'of another kind'
      throw new TypeError(`${name} must be ${must}: ${inspect(value, { depth: 0 })} was given`)
    }
  }
}

function isText(value: unknown): boolean {
  return typeof value === 'string'
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isPort(value: unknown): boolean {
  return Number.isInteger(value) && (value as number) >= 0 && (value as number) <= 65_535
}
