import type { MessageQueue } from '@skua-mq/protocol'
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
  readonly timeoutMs: number
  readonly deadline: number
  readonly signal?: AbortSignal | undefined
}

/** Chooses queues and tries again elsewhere (client.md 4). */
export class Delivery {
  private readonly parts: DeliveryParts
  private readonly rounds = new Map<string, QueueRound>()
  private readonly faults: LatencyFaults

  constructor(parts: DeliveryParts) {
    this.parts = parts
    this.faults = new LatencyFaults(parts.settings.latencyRules)
  }

  /** Any queue; up to 1 + retryTimesWhenSendFailed tries within the deadline. */
  async anywhere(draft: Draft, call: DeliveryCall): Promise<SendResult> {
    const { settings } = this.parts
    let lastBroker: string | undefined
    let lastError: unknown
    let stored: SendResult | undefined
    for (let tries = 0; tries <= settings.retryTimesWhenSendFailed; tries++) {
      if (tries > 0 && this.leftMs(call) <= 0) break
      const route = await this.parts.publishRoutes.find(draft.topic, call.signal)
      const queue = this.choose(route, lastBroker)
      lastBroker = queue.brokerName
      try {
        stored = await this.toQueue(draft, queue, call)
        if (stored.sendStatus === 'SEND_OK' || !settings.retryAnotherBrokerWhenNotStoreOK) return stored
      } catch (error) {
        if (!(error instanceof ClientError && error.retriable)) throw error
        lastError = error
        await this.freshRoute(draft.topic, call)
      }
    }
    if (stored !== undefined) return stored
    if (this.leftMs(call) <= 0) throw callTimeout(draft.topic, call.timeoutMs, lastError)
    throw lastError
  }

  /** One try at this queue. */
  async toQueue(draft: Draft, queue: MessageQueue, call: DeliveryCall): Promise<SendResult> {
    const { clock } = this.parts.instance
    const begun = clock.monotonic()
    const timeoutMs = this.leftMs(call)
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
