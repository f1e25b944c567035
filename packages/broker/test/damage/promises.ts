/** How a message was sent. */
export type Kind = 'plain' | 'delayed' | 'timed' | 'half' | 'recalled'

/** A message whose send was acknowledged, or may have been. */
export interface Promised {
  readonly id: string
  readonly kind: Kind
  readonly topic: string
  /** Whether it has to come; undefined: it may. */
  isExpected: boolean | undefined
  /** It is not stored in its topic before that time; 0 where nothing is said of it. */
  notBeforeMs: number
  /** A number that an expression of SQL92 asks for. */
  readonly a: number
}

/** What the clients of a broker were promised. */
export class Promises {
  private readonly all = new Map<string, Promised>()
  /** By queue: above all offsets that were told. */
  private readonly ends = new Map<string, number>()
  private count = 0

  next(kind: Kind): string {
    return `${kind[0]}${this.count++}`
  }

  add(promised: Promised): void {
    this.all.set(promised.id, promised)
  }

  find(id: string): Promised | undefined {
    return this.all.get(id)
  }

  /** Those of a topic that have to come. */
  expected(topic: string): Promised[] {
    return [...this.all.values()].filter(one => one.topic === topic && one.isExpected === true)
  }

  /** Those that must not. */
  unwanted(topic: string): Promised[] {
    return [...this.all.values()].filter(one => one.topic === topic && one.isExpected === false)
  }

  /** Of two messages of a queue the later has the greater offset; returns what is wrong. */
  told(topic: string, queueId: number, queueOffset: number): string[] {
    const queue = `${topic} ${queueId}`
    const end = this.ends.get(queue) ?? 0
    this.ends.set(queue, Math.max(end, queueOffset + 1))
    return queueOffset < end ? [`${queue} was at ${end}, and gave ${queueOffset} again`] : []
  }

  /** Queues may begin anew. */
  endsLost(): void {
    this.ends.clear()
  }

  /** Nothing of a topic is promised any more. */
  forget(topic: string): void {
    for (const [id, one] of this.all) if (one.topic === topic) this.all.delete(id)
  }

  /** A topic that is deleted begins anew. */
  deleted(topic: string): void {
    this.forget(topic)
    for (const queue of this.ends.keys()) if (queue.startsWith(`${topic} `)) this.ends.delete(queue)
  }

  /** The clock was set: how long a message with a delay has waited is not known any more. */
  clockSet(): void {
    for (const one of this.all.values()) if (one.kind === 'delayed') one.notBeforeMs = 0
  }
}
