import { type Popped, Popper } from '../pop/popper.ts'
import type { Peer } from '../world.ts'

const invisibleTime = 20_000
/** An acknowledgement that is answered so shortly before the end of the invisible time may have been too late. */
const marginMs = 1000

interface Held {
  readonly popped: Popped
  readonly untilMs: number
}

/** A group that pops: it acknowledges most of what it gets, keeps some for longer, and forgets the rest. */
export class Pops {
  /** What was acknowledged in time, and answered with 0. */
  private readonly acked = new Set<string>()
  /** What came, and was acknowledged whenever. */
  readonly settled = new Set<string>()
  private held: Held[] = []
  private readonly dice: (below: number) => number
  private readonly isOnce: (id: string) => boolean

  /** `isOnce`: whether there is one copy of a message. */
  constructor(dice: (below: number) => number, isOnce: (id: string) => boolean) {
    this.dice = dice
    this.isOnce = isOnce
  }

  async step(peer: Peer): Promise<string[]> {
    const popper = new Popper(peer, 'T', 'pops')
    const { wrong, held } = await this.pop(popper, 1 + this.dice(8))
    for (const one of held) {
      const dice = this.dice(10)
      if (dice < 6) await this.ack(popper, one)
      else if (dice < 8)
        this.held.push({ popped: await popper.change(one.popped, invisibleTime), untilMs: this.until(peer) })
      else if (dice < 9) this.held.push(one)
    }
    const late = this.held.shift()
    if (late !== undefined && late.untilMs > peer.world.runtime.clock.now()) await this.ack(popper, late)
    return wrong
  }

  /** Takes and acknowledges what is there; returns how much that was. */
  async drain(peer: Peer): Promise<{ count: number; wrong: string[] }> {
    const popper = new Popper(peer, 'T', 'pops')
    const { wrong, held } = await this.pop(popper, 32)
    for (const one of held) await this.ack(popper, one)
    return { count: held.length, wrong }
  }

  /** When the invisible time of what is held ends is not known any more. */
  clockSet(): void {
    this.held = []
  }

  /** What is acknowledged may come again. */
  forgetAcks(): void {
    this.acked.clear()
  }

  private until(peer: Peer): number {
    return peer.world.runtime.clock.now() + invisibleTime - marginMs
  }

  private async pop(popper: Popper, maxMsgNums: number): Promise<{ held: Held[]; wrong: string[] }> {
    const untilMs = this.until(popper.peer)
    const popped = await popper.pop({ invisibleTime, maxMsgNums })
    const wrong = popped
      .filter(({ text }) => this.acked.has(text))
      .map(({ text }) => `${text} was acknowledged, and popped again`)
    return { held: popped.map(popped => ({ popped, untilMs })), wrong }
  }

  private async ack(popper: Popper, { popped, untilMs }: Held): Promise<void> {
    let code = 0
    try {
      code = await popper.ack(popped)
    } catch (error) {
      // Nobody answered: it may count.
      this.settled.add(popped.text)
      throw error
    }
    if (code !== 0) return
    this.settled.add(popped.text)
    if (popper.peer.world.runtime.clock.now() < untilMs && this.isOnce(popped.text)) this.acked.add(popped.text)
  }
}
