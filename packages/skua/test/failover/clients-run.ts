import assert from 'node:assert/strict'
import type { TestContext } from 'node:test'
import { sleep } from '../flows.ts'
import type { BrokerGroup } from './broker-group.ts'
import { type ClientSides, TriedClient } from './tried-client.ts'

const topic = 'Tried'
const settleMs = 120_000

/** Clients that run while brokers are killed, and what each of them noticed. */
export class ClientsRun {
  readonly clients: readonly TriedClient[]
  private going = true
  private running: Promise<unknown> = Promise.resolve()

  constructor(sides: readonly ClientSides[]) {
    const times = new Map<string, number>()
    this.clients = sides.map(each => new TriedClient(each, times))
  }

  /** With the topic on `names`, whose brokers run. */
  async begin(group: BrokerGroup, names: readonly string[], members: number): Promise<void> {
    for (const name of names) await group.makeTopic(topic, await group.master(name, members))
    await Promise.all(this.clients.map(client => client.start(topic)))
    this.running = Promise.all(this.clients.map(client => client.run(topic, () => this.going)))
    await this.allWork()
  }

  /** Until each of them has had an acknowledgement and a message from now on, and a second longer. */
  async allWork(timeoutMs = 60_000): Promise<void> {
    const counts = () => this.clients.map(({ acknowledged, taken }) => [acknowledged.length, taken.size] as const)
    const before = counts()
    const until = Date.now() + timeoutMs
    while (!counts().every(([sent, taken], at) => sent > before[at]![0] && taken > before[at]![1])) {
      assert.ok(Date.now() < until, `not all clients work again: ${JSON.stringify([before, counts()])}`)
      await sleep(50)
    }
    await sleep(1000)
  }

  nextStretch(): void {
    for (const client of this.clients) client.nextStretch()
  }

  /** Everything that was acknowledged has come to everybody. */
  async check(t: TestContext): Promise<void> {
    this.nextStretch()
    this.going = false
    await this.running
    for (const client of this.clients) {
      const { sendMs, consumeMs, lateMs } = client.figures
      t.diagnostic(
        `${client.sides.name}: ${client.acknowledged.length} acknowledged, ${client.stored} stored only, ${client.failed} failed; ` +
          `longest ms between two acknowledged: ${sendMs.join(' ')}; between two consumed: ${consumeMs.join(' ')}; ` +
          `until an acknowledged one was consumed: ${lateMs.join(' ')}`,
      )
      assert.ok(client.acknowledged.length > 100, `${client.sides.name}: ${client.acknowledged.length}`)
    }
    const acknowledged = this.clients.flatMap(client => client.acknowledged)
    const missing = () =>
      this.clients.flatMap(client => {
        const rest = acknowledged.filter(body => !client.taken.has(body))
        return rest.length === 0 ? [] : [`${client.sides.name} lacks ${rest.length}: ${rest.slice(0, 5)}`]
      })
    const until = Date.now() + settleMs
    while (missing().length > 0 && Date.now() < until) await sleep(500)
    assert.deepEqual(missing(), [])
  }

  async close(): Promise<void> {
    this.going = false
    await this.running
    await Promise.all(this.clients.map(({ sides }) => sides.close()))
  }
}
