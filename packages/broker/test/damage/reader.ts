import { decodeRecords, PropertyName, pullMessage, queryConsumerOffset, updateConsumerOffset } from '@skua-mq/protocol'
import type { Peer } from '../world.ts'

/** A message as a group has got it. */
export interface Got {
  readonly id: string
  readonly queueId: number
  readonly queueOffset: number
  readonly storedAtMs: number
}

interface Commit {
  readonly offset: number
  readonly atMs: number
}

/** A group that pulls all queues of a topic, with an expression, and commits where it is. */
export class Reader {
  readonly got = new Map<string, Got>()
  readonly topic: string
  readonly group: string
  private readonly expression: string | undefined
  private positions = new Map<number, number>()
  /** By queue: what was committed and answered, by the clock that only goes forward. */
  private commits = new Map<number, Commit[]>()

  constructor(topic: string, group: string, expression?: string) {
    this.topic = topic
    this.group = group
    this.expression = expression
  }

  private place(queueId: number) {
    return { consumerGroup: this.group, topic: this.topic, queueId }
  }

  /** The broker is another: asks where the group is. Returns what is wrong with that. `keptMs`: commits before it were saved; none, nor where it began, for -Infinity. */
  async begin(peer: Peer, queueIds: readonly number[], keptMs: number): Promise<string[]> {
    const wrong: string[] = []
    this.positions.clear()
    for (const queueId of queueIds) {
      const reply = await peer.ask(queryConsumerOffset, this.place(queueId))
      const offset = reply.code === 0 ? reply.header!.offset : 0
      const commits = this.commits.get(queueId) ?? []
      const isKept = keptMs !== Number.NEGATIVE_INFINITY
      const least = (isKept ? commits.findLast(({ atMs }) => atMs <= keptMs)?.offset : undefined) ?? 0
      const most = Math.max(0, ...commits.map(commit => commit.offset))
      const where = `${this.group} in ${this.topic} ${queueId}`
      if (offset < least) wrong.push(`${where} was at ${least}, and is at ${offset}`)
      // A generation before may have it of a former life of the topic.
      if (isKept && offset > most) wrong.push(`${where} is at ${offset}, and never was behind ${most}`)
      this.positions.set(queueId, offset)
      this.commits.set(queueId, [{ offset, atMs: Number.NEGATIVE_INFINITY }])
    }
    return wrong
  }

  /** Reads up to the end of each queue. */
  async read(peer: Peer, queueIds: readonly number[]): Promise<Got[]> {
    const all: Got[] = []
    for (const queueId of queueIds) for (let more = true; more; ) more = await this.pull(peer, queueId, all)
    for (const one of all) if (!this.got.has(one.id)) this.got.set(one.id, one)
    return all
  }

  async commit(peer: Peer, queueIds: readonly number[], atMs: number): Promise<void> {
    for (const queueId of queueIds) {
      const offset = this.positions.get(queueId) ?? 0
      this.commits.set(queueId, [...(this.commits.get(queueId) ?? []), { offset, atMs }])
      await peer.ask(updateConsumerOffset, { ...this.place(queueId), commitOffset: offset })
    }
  }

  /** The topic is being deleted: what was committed may be gone, or not. */
  mayRestart(): void {
    this.positions.clear()
    for (const [queueId, commits] of this.commits)
      this.commits.set(
        queueId,
        commits.map(({ offset }) => ({ offset, atMs: Number.POSITIVE_INFINITY })),
      )
  }

  /** The topic begins anew. */
  restart(): void {
    this.positions.clear()
    this.commits.clear()
  }

  /** False where there was nothing. */
  private async pull(peer: Peer, queueId: number, into: Got[]): Promise<boolean> {
    const queueOffset = this.positions.get(queueId) ?? 0
    const expression = this.expression
    const { code, header, body } = await peer.ask(pullMessage, {
      ...{ ...this.place(queueId), queueOffset, maxMsgNums: 32, sysFlag: 4, commitOffset: 0, suspendTimeoutMillis: 0 },
      ...{ subscription: expression ?? '*', expressionType: expression === undefined ? 'TAG' : 'SQL92', subVersion: 1 },
    } as never)
    if (![0, 19, 20, 21].includes(code)) return false
    if (code === 0)
      for (const { properties, storeTimestamp, queueOffset } of decodeRecords(body!))
        into.push({ id: properties.get(PropertyName.uniqueKey)!, queueId, queueOffset, storedAtMs: storeTimestamp })
    const { nextBeginOffset } = header!
    this.positions.set(queueId, nextBeginOffset)
    return nextBeginOffset !== queueOffset
  }
}
