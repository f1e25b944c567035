import {
  getAllSubscriptionGroupConfig,
  getSubscriptionGroupConfig,
  ResponseCode,
  type SubscriptionGroupConfig,
} from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import { refusedBy } from '../refused.ts'
import type { Brokers } from './brokers.ts'
import { Cache } from './cache.ts'

/** What the gateway needs to know of a consumer group. */
export interface GroupFacts {
  readonly isFifo: boolean
  /** Deliveries, the first one included. */
  readonly maxAttempts: number
  readonly retryPolicy: unknown
}

/** Of a group that nobody has configured. */
const unknownGroup: GroupFacts = { isFifo: false, maxAttempts: 17, retryPolicy: undefined }

const keepMs = 10_000
const maxGroups = 10_000

/** Consumer groups as a broker has them. */
export class Groups {
  /** Of a group that nobody has configured, or of which nothing can be learnt. */
  readonly unknown = unknownGroup
  private readonly cache: Cache<GroupFacts>

  constructor(clock: Pick<Clock, 'monotonic'>) {
    this.cache = new Cache({ clock, keepMs, most: maxGroups })
  }

  /** As the topic's brokers know it; asked in the name of whoever needs it. Throws where none of them can be asked. */
  facts(group: string, topic: string, brokers: Brokers): Promise<GroupFacts> {
    const ask = (address: string) => this.cache.get(`${address} ${group}`, () => load(brokers, address, group))
    return brokers.anyOf(topic, ask, unknownGroup)
  }
}

async function load(brokers: Brokers, address: string, group: string): Promise<GroupFacts> {
  const config = await configOf(brokers, address, group)
  if (config === undefined) return unknownGroup
  return {
    isFifo: config.consumeMessageOrderly ?? false,
    maxAttempts: config.retryMaxTimes + 1,
    retryPolicy: config.groupRetryPolicy,
  }
}

/** A broker of 4.9 tells of one group only with all the others. */
async function configOf(
  brokers: Brokers,
  address: string,
  group: string,
): Promise<SubscriptionGroupConfig | undefined> {
  const one = await brokers.ask(address, { spec: getSubscriptionGroupConfig, header: { group } })
  if (one.code === ResponseCode.success && one.body !== undefined)
    return getSubscriptionGroupConfig.replyBody!.decode(one.body)
  if (one.code === ResponseCode.subscriptionGroupNotExist) return undefined
  // One that is busy says nothing of the group: taken for one without order, its messages would lose theirs.
  if (one.code !== ResponseCode.requestCodeNotSupported) throw refusedBy(one.code, one.remark)
  const all = await brokers.want(address, { spec: getAllSubscriptionGroupConfig, header: {} })
  return all.body && getAllSubscriptionGroupConfig.replyBody!.decode(all.body).subscriptionGroupTable.get(group)
}
