import assert from 'node:assert/strict'
import {
  deleteTopicInBroker,
  endTransaction,
  queryMessage,
  recallMessage,
  subscriptionData,
  TransactionState,
  updateAndCreateTopic,
} from '@skua-mq/protocol'
import type { SimClock, SimRandom } from '@skua-mq/runtime'
import type { Peer } from '../world.ts'
import { Pops } from './pops.ts'
import { type Kind, type Promised, Promises } from './promises.ts'
import { Reader } from './reader.ts'

const secondMs = 1000
const hourMs = 3_600_000
const dayMs = 24 * hourMs
const delaysMs = [0, 1000, 5000, 10_000]
const expression = 'a > 1'
export const queueIds = [0, 1]
const topics = ['T', 'U'] as const
/** All come within this time when the clock is set forward again and again. */
const mostRounds = 80

const right = (wrong: readonly string[]): void => assert.deepEqual(wrong, [])

/** What clients do to a broker that is ended amid it, what they were promised, and whether that was kept. */
export class Traffic {
  private readonly random: SimRandom
  private readonly clock: SimClock
  private readonly longestMs: number
  private readonly promises = new Promises()
  private readonly pops: Pops
  private readonly readers = [new Reader('T', 'g'), new Reader('T', 'sql', expression), new Reader('U', 'g')]
  private peer!: Peer

  /** `longestMs`: how far ahead the time of a message may lie. */
  constructor(parts: { random: SimRandom; clock: SimClock; longestMs: number }) {
    this.random = parts.random
    this.clock = parts.clock
    this.longestMs = parts.longestMs
    this.pops = new Pops(
      below => this.random.int(below),
      id => id.startsWith('p'),
    )
  }

  /** The broker is another. `savedMs`: what was committed before was saved, by the clock that only goes forward. */
  async begin(peer: Peer, savedMs: number): Promise<void> {
    this.peer = peer
    for (const topic of topics) await this.makeTopic(topic)
    await peer.produce('p')
    await peer.consume('sql', [subscriptionData({ topic: 'T', expression, type: 'SQL92', subVersion: 1 })!])
    for (const reader of this.readers) right(await reader.begin(peer, queueIds, savedMs))
  }

  private async makeTopic(topic: string): Promise<void> {
    const queues = { readQueueNums: queueIds.length, writeQueueNums: queueIds.length, perm: 6 }
    const header = { topic, defaultTopic: 'TBW102', ...queues, topicFilterType: 'SINGLE_TAG', topicSysFlag: 0 }
    assert.equal((await this.peer.ask(updateAndCreateTopic, header as never)).code, 0)
  }

  clockSet(): void {
    this.promises.clockSet()
    this.pops.clockSet()
  }

  /** Where groups stand is lost, and that was said: what they acknowledged may come again. */
  offsetsLost(): void {
    this.pops.forgetAcks()
  }

  /** Queues may begin anew, which was said. */
  endsLost(): void {
    this.promises.endsLost()
  }

  async step(): Promise<void> {
    const dice = this.random.int(100)
    if (dice < 50) for (let n = 1 + this.random.int(4); n > 0; n--) await this.send()
    else if (dice < 68) await this.read()
    else if (dice < 97) right(await this.pops.step(this.peer))
    else await this.deleteTopic()
  }

  private async send(): Promise<void> {
    const { random, promises } = this
    const kind = (['plain', 'plain', 'delayed', 'timed', 'half', 'recalled'] as const)[random.int(6)]!
    const topic = kind !== 'half' && random.chance(0.2) ? 'U' : 'T'
    const queueId = random.int(queueIds.length)
    const id = promises.next(kind)
    const { properties, notBeforeMs } = this.wishOf(kind)
    const a = random.int(4)
    const promised: Promised = { id, kind, topic, isExpected: undefined, notBeforeMs, a }
    promises.add(promised)
    const { code, header, remark } = await this.peer.send(topic, id, {
      queueId,
      sysFlag: kind === 'half' ? TransactionState.prepared : 0,
      properties: { UNIQ_KEY: id, KEYS: `k-${id}`, a: String(a), pad: 'x'.repeat(random.int(800)), ...properties },
    })
    assert.equal(code, 0, `${id}: ${remark}`)
    if (kind === 'plain') right(promises.told(topic, queueId, header!.queueOffset))
    if (kind === 'half') await this.decide(promised, header!)
    else if (kind === 'recalled') await this.recall(promised, (header as { recallHandle?: string }).recallHandle!)
    else promised.isExpected = true
  }

  private wishOf(kind: Kind): { properties: Record<string, string>; notBeforeMs: number } {
    const { random } = this
    const now = this.clock.now()
    if (kind === 'delayed') {
      const level = 1 + random.int(3)
      return { properties: { DELAY: String(level) }, notBeforeMs: now + delaysMs[level]! }
    }
    if (kind === 'half') return { properties: { TRAN_MSG: 'true', PGROUP: 'p' }, notBeforeMs: 0 }
    if (kind === 'plain') return { properties: {}, notBeforeMs: 0 }
    const most = Math.min(this.longestMs, [5 * secondMs, 60 * secondMs, hourMs, 3 * dayMs][random.int(4)]!)
    const atMs = now + most - random.int(most - 4 * secondMs)
    return { properties: { TIMER_DELIVER_MS: String(atMs) }, notBeforeMs: atMs - secondMs }
  }

  private async decide(promised: Promised, place: { queueOffset: number; msgId: string }): Promise<void> {
    const isCommitted = this.random.chance(0.7)
    const { code } = await this.peer.ask(endTransaction, {
      ...{ producerGroup: 'p', tranStateTableOffset: place.queueOffset, fromTransactionCheck: false },
      commitLogOffset: Number.parseInt(place.msgId.slice(16), 16),
      commitOrRollback: isCommitted ? TransactionState.commit : TransactionState.rollback,
      msgId: promised.id,
    })
    assert.equal(code, 0)
    promised.isExpected = isCommitted
  }

  private async recall(promised: Promised, recallHandle: string): Promise<void> {
    const { code } = await this.peer.ask(recallMessage, { producerGroup: 'p', topic: promised.topic, recallHandle })
    assert.equal(code, 0)
    promised.isExpected = false
    await this.clock.advanceAsync(100)
  }

  private async read(): Promise<void> {
    for (const reader of this.readers) {
      for (const { id, storedAtMs } of await reader.read(this.peer, queueIds)) {
        const promised = this.promises.find(id)
        if (promised === undefined) continue
        assert.ok(promised.isExpected !== false, `${id} came, and was taken back`)
        const early = promised.notBeforeMs - storedAtMs
        assert.ok(early <= 0, `${id} came ${early} ms before its time`)
      }
      if (this.random.chance(0.7)) await reader.commit(this.peer, queueIds, this.clock.monotonic())
    }
  }

  /** What waits for its time is of the former life of the topic, and may come. */
  private async deleteTopic(): Promise<void> {
    this.promises.deleted('U')
    const readers = this.readers.filter(({ topic }) => topic === 'U')
    // Where the broker ends amid it, the topic may be as it was.
    for (const reader of readers) reader.mayRestart()
    assert.equal((await this.peer.ask(deleteTopicInBroker, { topic: 'U' })).code, 0)
    for (const reader of readers) reader.restart()
    await this.makeTopic('U')
  }

  /** Time passes until all has come; then all is popped, and found by its key. */
  async settle(): Promise<void> {
    for (let round = 0; round < mostRounds && this.missing().length > 0; round++) {
      this.clock.step(this.longestMs)
      this.clockSet()
      await this.clock.advanceAsync(20_000)
      await this.read()
    }
    right(this.missing())
    for (let empty = 0; empty < 3; ) {
      await this.clock.advanceAsync(25_000)
      const { count, wrong } = await this.pops.drain(this.peer)
      right(wrong)
      empty = count === 0 ? empty + 1 : 0
    }
    const unpopped = this.promises.expected('T').filter(({ id }) => !this.pops.settled.has(id))
    right(unpopped.map(({ id }) => `${id} was never popped, or not again`))
    for (const topic of topics) for (const { id } of this.promises.expected(topic)) await this.find(topic, id)
  }

  private async find(topic: string, id: string): Promise<void> {
    const range = { beginTimestamp: 0, endTimestamp: Number.MAX_SAFE_INTEGER }
    const { code } = await this.peer.ask(queryMessage, { topic, key: `k-${id}`, maxNum: 32, ...range } as never)
    assert.equal(code, 0, `${id} is not found by its key`)
  }

  /** What was acknowledged, and has not come to each who wants it. */
  private missing(): string[] {
    return this.readers.flatMap(({ topic, group, got }) =>
      this.promises
        .expected(topic)
        .filter(({ id, a }) => !got.has(id) && (group !== 'sql' || a > 1))
        .map(({ id }) => `${id} was acknowledged, and did not come to ${group}`),
    )
  }

  /** The log loses what is old. */
  forget(): void {
    for (const topic of topics) this.promises.forget(topic)
  }
}
