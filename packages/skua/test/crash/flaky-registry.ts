import type { Registry, RegistrySession, RegistryWrite } from '@skua-mq/broker'
import { delay, type SimClock, type SimRandom } from '@skua-mq/runtime'

const silent = () => new Error('the registry does not answer')

/**
 * A registry as one process sees it over a bad network: it takes its time, requests get lost, answers get lost, and what was asked comes
 * to it later than whoever asked has given up. A process that is dead hears nothing, and asks no more.
 */
export class FlakyRegistry implements Registry {
  isDead = false
  isCutOff = false
  /** Of a request that it does not come in time. */
  lossChance = 0
  private readonly under: Registry
  private readonly clock: SimClock
  private readonly random: SimRandom

  constructor(under: Registry, { clock, random }: { readonly clock: SimClock; readonly random: SimRandom }) {
    this.under = under
    this.clock = clock
    this.random = random
  }

  read() {
    return this.asked(() => this.under.read())
  }

  async open(ttlMs: number): Promise<RegistrySession> {
    const session = await this.asked(() => this.under.open(ttlMs))
    return {
      ttlMs: session.ttlMs,
      renew: () => this.asked(() => session.renew()),
      write: (change: RegistryWrite) => this.asked(() => session.write(change)),
      close: () => this.asked(() => session.close()),
    }
  }

  private async asked<T>(run: () => Promise<T>): Promise<T> {
    if (this.isDead) return new Promise<never>(() => {})
    const { random, clock } = this
    await delay(clock, random.int(20))
    if (this.isCutOff || random.chance(this.lossChance)) {
      // Whether it was lost on its way there or on the way back, nobody knows.
      if (random.chance(0.5)) clock.after(random.int(6000), () => void run().catch(() => {}))
      await delay(clock, 500)
      throw silent()
    }
    const answer = await run()
    await delay(clock, random.int(20))
    if (this.isDead) return new Promise<never>(() => {})
    if (random.chance(this.lossChance)) throw silent()
    return answer
  }
}
