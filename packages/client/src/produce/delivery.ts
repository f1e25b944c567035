import { type MessageQueue, ResponseCode } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import { ClientError } from '../error.ts'
import type { ClientInstance } from '../instance/client-instance.ts'
import type { Draft } from '../message/outgoing.ts'
import type { TopicRoute } from '../route/topic-route.ts'
import { LatencyFaults } from './latency.ts'
import type { ProducerSettings } from './options.ts'
import type { PublishRoutes } from './publish-routes.ts'
import { QueueRound } from './queue-choice.ts'
import type { SendResult } from './result.ts'
import { callTimeout, type Sender } from './send.ts'

/** After a failure the next try waits at most so long for a fresh route. */
const freshRouteWaitMs = 300

export interface DeliveryParts {
  readonly instance: ClientInstance
  readonly publishRoutes: PublishRoutes
  readonly sender: Sender
  readonly settings: ProducerSettings
  readonly group: string
}

export interface DeliveryCall {
  /** Of one try. */
  readonly timeoutMs: number
  /** Of all tries, monotonic. */
  readonly deadline: number
  /** Goes on until the deadline, however often it fails. */
  readonly isPatient: boolean
  readonly signal?: AbortSignal | undefined
}

/** After which nobody was reached: it says nothing about the message, and does not count as a try. */
const unreachedCodes: ReadonlySet<string> = new Set(['NETWORK', 'NO_BROKER', 'NO_ROUTE', 'NAME_SERVER'])

/** It may be that another broker is the master of that name by now. */
const isAnotherMaster = ({ code, responseCode }: ClientError): boolean =>
  code === 'NETWORK' || code === 'TIMEOUT' || slaveCodes.has(responseCode ?? ResponseCode.success)
/** What slaves answer to a send. */
const slaveCodes: ReadonlySet<number> = new Set([ResponseCode.serviceNotAvailable, ResponseCode.noPermission])

/** Between rounds in which no broker of the topic could be reached. */
const firstPauseMs = 50
const longestPauseMs = 1_000

/** The same, and how long it was tried. */
function triedFor(error: ClientError, { timeoutMs, isPatient }: DeliveryCall): ClientError {
  const how = isPatient ? 'as long as retryFor says' : `for ${timeoutMs} ms; retryFor waits longer`
  const { code, responseCode, retriable, cause } = error
  return new ClientError(code, `${error.message} (tried ${how})`, { cause, retriable, responseCode })
}

/** Chooses queues and tries again elsewhere (client.md 4); waits for brokers that are away. */
export class Delivery {
  private readonly parts: DeliveryParts
  private readonly rounds = new Map<string, QueueRound>()
  private readonly faults: LatencyFaults

  constructor(parts: DeliveryParts) {
    this.parts = parts
    this.faults = new LatencyFaults(parts.settings.latencyRules)
  }

  /** Any queue; up to 1 + retryTimesWhenSendFailed tries within the deadline. Tries that reach nobody do not count. */
  async anywhere(draft: Draft, call: DeliveryCall): Promise<SendResult> {
    const { settings, publishRoutes } = this.parts
    let lastBroker: string | undefined
    let brokers = 1
    let stored: SendResult | undefined
    const once = async () => {
      const route = await publishRoutes.find(draft.topic, call.signal)
      brokers = new Set(route.publish.map(queue => queue.brokerName)).size
      const queue = this.choose(route, lastBroker)
      lastBroker = queue.brokerName
      const result = await this.toQueue(draft, queue, call)
      if (result.sendStatus === 'SEND_OK' || !settings.retryAnotherBrokerWhenNotStoreOK) return result
      stored = result
      return undefined
    }
    return this.untilStored(draft, call, { once, brokers: () => brokers, stored: () => stored })
  }

  /** This queue, and no other: one try, or with patience as many as it takes. */
  async to(draft: Draft, queue: MessageQueue, call: DeliveryCall): Promise<SendResult> {
    if (!call.isPatient) return this.toQueue(draft, queue, call)
    const once = () => this.toQueue(draft, queue, call)
    return this.untilStored(draft, call, { once, brokers: () => 1, stored: () => undefined })
  }

  /** `brokers`: how many there are to be tried before it waits; `stored`: a result that is less safe than it was wanted. */
  private async untilStored(
    draft: Draft,
    call: DeliveryCall,
    {
      once,
      brokers,
      stored,
    }: { once: () => Promise<SendResult | undefined>; brokers: () => number; stored: () => SendResult | undefined },
  ): Promise<SendResult> {
    const { retryTimesWhenSendFailed } = this.parts.settings
    let failures = 0
    let unreached = 0
    let lastError: ClientError | undefined
    do {
      try {
        const result = await once()
        if (result !== undefined) return result
        failures++
        lastError = undefined
      } catch (error) {
        if (!(error instanceof ClientError && error.retriable)) throw error
        // That the time is over says less than what took it.
        if (lastError === undefined || this.leftMs(call) > 0) lastError = error
        const isUnreached = unreachedCodes.has(error.code)
        if (isUnreached) unreached++
        else failures++
        if (retryTimesWhenSendFailed === 0 && !call.isPatient) throw error
        await this.freshRoute(draft.topic, call)
        if (call.isPatient || (isUnreached && unreached % brokers() === 0)) {
          await this.pause(Math.floor((unreached + failures) / brokers()), call)
        }
      }
    } while ((call.isPatient || failures <= retryTimesWhenSendFailed) && this.leftMs(call) > 0)
    const result = stored()
    if (result !== undefined) return result
    // Nobody was reached: why says more than that the time is over.
    if (lastError !== undefined && this.leftMs(call) > 0) throw lastError
    if (lastError !== undefined && unreachedCodes.has(lastError.code)) throw triedFor(lastError, call)
    throw callTimeout(draft.topic, call.timeoutMs, lastError)
  }

  /** Longer each time, and not the same for all producers that wait for one broker. */
  private async pause(round: number, call: DeliveryCall): Promise<void> {
    const { clock, runtime } = this.parts.instance
    const most = Math.min(longestPauseMs, firstPauseMs * 2 ** Math.min(round, 10))
    const ms = Math.min(most / 2 + runtime.random.int(Math.ceil(most / 2) + 1), Math.max(0, this.leftMs(call)))
    await delay(clock, ms, call.signal)
  }

  /** One try at this queue. */
  private async toQueue(draft: Draft, queue: MessageQueue, call: DeliveryCall): Promise<SendResult> {
    const { clock } = this.parts.instance
    const begun = clock.monotonic()
    const timeoutMs = Math.min(call.timeoutMs, this.leftMs(call))
    if (timeoutMs <= 0) throw callTimeout(draft.topic, call.timeoutMs)
    const observe = (failed: boolean) => {
      if (!this.parts.settings.sendLatencyEnable) return
      this.faults.observe(queue.brokerName, { latencyMs: clock.monotonic() - begun, failed, nowMs: clock.monotonic() })
    }
    try {
      const result = await this.parts.sender.send({
        queue,
        draft,
        group: this.parts.group,
        timeoutMs,
        signal: call.signal,
      })
      observe(false)
      return result
    } catch (error) {
      observe(true)
      if (error instanceof ClientError && isAnotherMaster(error)) this.parts.instance.doubt.doubt(queue.brokerName)
      throw error
    }
  }

  /** The next queue in the round. */
  choose(route: TopicRoute, lastBroker?: string): MessageQueue {
    const { instance, settings } = this.parts
    let round = this.rounds.get(route.topic)
    if (round === undefined) {
      round = new QueueRound(instance.runtime.random.int(0x7fff_ffff))
      this.rounds.set(route.topic, round)
    }
    if (!settings.sendLatencyEnable) return round.next(route.publish, lastBroker)
    return round.nextByLatency(route.publish, { faults: this.faults, nowMs: instance.clock.monotonic(), lastBroker })
  }

  leftMs(call: DeliveryCall): number {
    return call.deadline - this.parts.instance.clock.monotonic()
  }

  /** A broker that left stands in the old route only. What the name server does not tell in time comes with a later try. */
  private async freshRoute(topic: string, call: DeliveryCall): Promise<void> {
    const { clock, routes } = this.parts.instance
    const stop = new AbortController()
    const wait = delay(clock, Math.max(0, Math.min(freshRouteWaitMs, this.leftMs(call) / 2)), stop.signal)
    await Promise.race([routes.refresh(topic), wait].map(settled))
    stop.abort()
  }
}

const settled = (promise: Promise<unknown>): Promise<void> =>
  promise.then(
    () => {},
    () => {},
  )
