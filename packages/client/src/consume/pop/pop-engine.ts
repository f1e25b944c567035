import { every, type Timer } from '@skua-mq/runtime'
import { type PopSource, Pops } from '../../pop/pops.ts'
import { Receipts } from '../../pop/receipts.ts'
import { compareText } from '../../queue.ts'
import { simpleMember } from '../../simple/member.ts'
import { ConsumeStats } from '../consume-stats.ts'
import { consumeDirectly } from '../direct.ts'
import type { ConsumeEngine } from '../engine.ts'
import { lagOf } from '../lag.ts'
import { offsetStorageFor } from '../offset-store/choose.ts'
import { Offsets } from '../offset-store/offsets.ts'
import type { PushContext } from '../push-parts.ts'
import { QueueOffsets } from '../queue-ends.ts'
import { HandlerRun } from '../run.ts'
import { SendBack } from '../send-back.ts'
import { Slots } from '../slots.ts'
import { PopDispatch } from './pop-dispatch.ts'
import { PopLoop } from './pop-loop.ts'

/** How often it is looked where the topics lie; at once when a topic comes. */
const lookMs = 20_000
const defaultMaxReconsumeTimes = 16

/** Messages of any queue, from each broker of each topic (consumeMode POP). */
export function popEngine(context: PushContext): ConsumeEngine {
  return new PopEngine(context)
}

class PopEngine implements ConsumeEngine {
  readonly member: ConsumeEngine['member']
  private readonly context: PushContext
  private readonly pops: Pops
  private readonly dispatch: PopDispatch
  private readonly loops = new Map<string, PopLoop>()
  private readonly unknown = new Set<string>()
  private readonly ended = new Set<Promise<void>>()
  private timer: Timer | undefined
  private looking: Promise<void> | undefined
  private isHalted = false

  constructor(context: PushContext) {
    const { instance, client, settings, group, subscriptions, emit } = context
    this.context = context
    const stats = new ConsumeStats(instance.clock)
    const run = new HandlerRun({ ...context, group: context.plainGroup, stats })
    const receipts = new Receipts(instance, group)
    const fromFirst = settings.consumeFromWhere === 'CONSUME_FROM_FIRST_OFFSET'
    this.pops = new Pops({ instance, client, group, subscriptions, receipts, fromFirst, emit })
    const max = settings.maxReconsumeTimes
    const maxReconsumeTimes = max === -1 ? defaultMaxReconsumeTimes : max
    const sendBack = new SendBack({ instance, group, namespace: client.namespace, maxReconsumeTimes, emit })
    const slots = new Slots(settings.concurrency)
    this.dispatch = new PopDispatch({ ...context, run, receipts, sendBack, slots, maxReconsumeTimes, pops: this.pops })
    const member = simpleMember({ instance, group, subscriptions, emit })
    this.member = {
      ...member,
      consumerData: () => ({ ...member.consumerData(), consumeFromWhere: settings.consumeFromWhere }),
      runningInfo: () => ({ ...member.runningInfo(), statusTable: stats.table() }),
      consumeDirectly: (message, brokerName) => {
        const { clock } = instance
        return consumeDirectly(message, brokerName, { run, namespace: client.namespace, group, orderly: false, clock })
      },
    }
  }

  async load(): Promise<void> {}

  async begin(): Promise<void> {
    this.timer = every(this.context.instance.clock, lookMs, () => this.look())
    await this.look()
  }

  topicsChanged(): void {
    void this.look()
  }

  async forget(topic: string): Promise<void> {
    this.endLoops(source => source.topic === topic)
  }

  /** Nobody owns queues. */
  queues(): [] {
    return []
  }

  lag(): ReturnType<ConsumeEngine['lag']> {
    const { instance, settings, group, client, subscriptions } = this.context
    // What memory says is never newer than what the broker says, who counts for all members.
    const offsets = new Offsets(offsetStorageFor(instance, { group, ...settings }))
    const ends = new QueueOffsets(instance.calls)
    const queues = [...subscriptions.topics()].flatMap(topic => instance.routes.known(topic)?.subscribe ?? [])
    return lagOf(queues, { offsets, ends, namespace: client.namespace })
  }

  halt(): void {
    this.isHalted = true
    this.timer?.cancel()
  }

  async settle(): Promise<void> {
    this.endLoops(() => true)
    await this.looking
    await Promise.all(this.ended)
  }

  idle(): Promise<void> {
    return this.dispatch.idle()
  }

  async end(): Promise<void> {
    this.dispatch.stop()
  }

  /** Loops for all brokers that have queues to read, and no others. Never rejects. */
  private look(): Promise<void> {
    this.looking = (this.looking ?? Promise.resolve())
      .then(() => this.lookNow())
      .catch(error => {
        const { emit, plainGroup: group } = this.context
        emit('rebalanceFailed', { group, topic: [...this.context.subscriptions.topics()].join(', '), error })
      })
    return this.looking
  }

  private async lookNow(): Promise<void> {
    const wanted = new Map<string, PopSource>()
    for (const topic of [...this.context.subscriptions.topics()])
      for (const brokerName of await this.brokersOf(topic)) wanted.set(`${topic}@${brokerName}`, { topic, brokerName })
    if (this.isHalted) return
    this.endLoops(({ topic, brokerName }) => !wanted.has(`${topic}@${brokerName}`))
    for (const [key, source] of wanted) {
      if (this.loops.has(key) || this.context.subscriptions.get(source.topic) === undefined) continue
      const loop = new PopLoop({ ...this.context, pops: this.pops, dispatch: this.dispatch }, source)
      this.loops.set(key, loop)
      const running = loop.run().finally(() => this.ended.delete(running))
      this.ended.add(running)
    }
  }

  private async brokersOf(topic: string): Promise<string[]> {
    const { instance, emit, plainGroup: group } = this.context
    const route = await instance.routes.find(topic)
    if (route !== undefined) {
      this.unknown.delete(topic)
      return [...new Set(route.subscribe.map(({ brokerName }) => brokerName))].sort(compareText)
    }
    if (!this.unknown.has(topic)) {
      this.unknown.add(topic)
      emit('topicUnknown', { group, topic, error: await instance.routes.explain(topic) })
    }
    return []
  }

  private endLoops(isOver: (source: PopSource) => boolean): void {
    for (const [key, loop] of [...this.loops]) {
      if (!isOver(loop.source)) continue
      this.loops.delete(key)
      loop.stop()
    }
  }
}
