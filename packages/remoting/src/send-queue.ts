import type { Turn, TurnSlot } from '@skua-mq/runtime'

export interface Flushable {
  flush(): void
}

/** Connections with something to send, flushed once at the end of the turn: one write per connection and turn. */
export class SendQueue {
  private waiting: Flushable[] = []
  private spare: Flushable[] = []
  private readonly slot: TurnSlot

  constructor(turn: Turn) {
    this.slot = turn.join('send', () => this.flush())
  }

  add(item: Flushable): void {
    this.waiting.push(item)
    this.slot.arm()
  }

  leave(): void {
    this.slot.leave()
  }

  private flush(): void {
    const list = this.waiting
    this.waiting = this.spare
    for (let i = 0; i < list.length; i++) (list[i] as Flushable).flush()
    list.length = 0
    this.spare = list
  }
}
