import assert from 'node:assert/strict'
import { test } from 'node:test'
import type { BrokerConfig } from '../../src/index.ts'
import { PopMachine } from './pop-machine.ts'
import { type Popped, Popper } from './popper.ts'

const invisibleTime = 4000
/** An acknowledgement that comes so shortly before the end of the invisible time may be too late. */
const marginMs = 500

interface Held {
  readonly popped: Popped
  readonly untilMs: number
}

/** What is known of messages from outside. */
class Model {
  readonly sent = new Set<string>()
  readonly delivered = new Set<string>()
  readonly acked = new Set<string>()
  /** An acknowledgement of theirs had no answer. */
  readonly unknown = new Set<string>()
  held: Held[] = []

  took(popped: readonly Popped[], untilMs: number): void {
    for (const one of popped) {
      assert.ok(!this.acked.has(one.text), `${one.text} is delivered after its acknowledgement was answered`)
      this.delivered.add(one.text)
      this.held.push({ popped: one, untilMs })
    }
  }
}

/** Random steps of a producer and a group that pops, with ends of the broker between and within them. */
class History {
  private readonly machine: PopMachine
  private readonly isPowerCut: boolean
  private readonly model = new Model()
  private popper!: Popper
  private count = 0

  constructor(seed: number, { isPowerCut, config }: { isPowerCut: boolean; config: Partial<BrokerConfig> }) {
    this.machine = new PopMachine(seed, config)
    this.isPowerCut = isPowerCut
  }

  private async boot(): Promise<void> {
    await this.machine.boot()
    this.popper = new Popper(this.machine.client('member'))
  }

  private chance(percent: number): boolean {
    return this.machine.random.int(100) < percent
  }

  /** Undefined where the broker ended before it answered. */
  private async asked<T>(work: () => Promise<T>): Promise<T | undefined> {
    const answer = work().catch(() => undefined)
    if (!this.chance(6)) return answer
    this.machine.clock.after(this.machine.random.int(4), () => this.end())
    const result = await answer
    await this.machine.clock.advanceAsync(5)
    await this.boot()
    return result
  }

  private end(): void {
    if (this.isPowerCut) this.machine.powerCut()
    else this.machine.kill()
  }

  private async step(): Promise<void> {
    const { model, machine } = this
    const choice = machine.random.int(10)
    if (choice < 3) await this.send()
    else if (choice < 6) {
      const maxMsgNums = 1 + machine.random.int(8)
      const popped = await this.asked(() => this.popper.pop({ invisibleTime, maxMsgNums }))
      // By the broker's time of the pop, which lies before.
      model.took(popped ?? [], machine.clock.now() + invisibleTime - marginMs)
    } else if (choice < 9) await this.settle()
    else await machine.clock.advanceAsync(machine.random.int(3000))
  }

  private async send(): Promise<void> {
    const text = `m${this.count++}`
    const reply = await this.asked(() => this.popper.peer.send('T', text, { queueId: this.machine.random.int(4) }))
    if (reply?.code === 0) this.model.sent.add(text)
  }

  private async settle(): Promise<void> {
    const { model, machine } = this
    model.held = model.held.filter(({ untilMs }) => untilMs > machine.clock.now())
    const one = model.held[machine.random.int(Math.max(1, model.held.length))]
    if (one === undefined) return
    if (this.chance(20)) {
      const changed = await this.asked(() => this.popper.change(one.popped, invisibleTime))
      model.held = model.held.filter(held => held !== one)
      if (changed !== undefined)
        model.held.push({ popped: changed, untilMs: machine.clock.now() + invisibleTime - marginMs })
      return
    }
    const batch = this.chance(30) ? model.held.slice(0, 3) : [one]
    const code = await this.asked(() =>
      batch.length === 1 ? this.popper.ack(batch[0]!.popped) : this.popper.ackAll(batch.map(({ popped }) => popped)),
    )
    model.held = model.held.filter(held => !batch.includes(held))
    const told = code === 0 ? model.acked : model.unknown
    for (const { popped } of batch) told.add(popped.text)
  }

  async run(steps: number): Promise<void> {
    await this.boot()
    await this.popper.peer.send('T', 'm', { queueId: 0 })
    for (let step = 0; step < steps; step++) await this.step()
    await this.drain()
    const { sent, delivered, acked, unknown } = this.model
    // What was delivered and not acknowledged has come again, and was acknowledged then.
    assert.deepEqual(
      [...sent].filter(text => !delivered.has(text) || !(acked.has(text) || unknown.has(text))),
      [],
      'nothing is lost',
    )
    await this.machine.settle(this.machine.broker.stop())
  }

  /** Consumes until nothing comes any more. */
  private async drain(): Promise<void> {
    for (let empty = 0; empty < 3; ) {
      await this.machine.clock.advanceAsync(invisibleTime + 1000)
      const popped = await this.popper.pop({ invisibleTime, maxMsgNums: 32 })
      empty = popped.length === 0 ? empty + 1 : 0
      this.model.took(popped, 0)
      for (const one of popped) if ((await this.popper.ack(one)) === 0) this.model.acked.add(one.text)
    }
  }
}

test('a power cut under ASYNC_FLUSH leaves a group before messages whose pop it took, and says so', async () => {
  for (let seed = 1; seed <= 8; seed++) {
    const machine = new PopMachine(seed)
    await machine.boot()
    const first = new Popper(machine.client('member'))
    await first.peer.send('T', 'one', { queueId: 0 })
    // It is on the medium; what is popped now is not for a moment.
    await machine.clock.advanceAsync(12_000)
    const [popped] = await first.pop({ invisibleTime: 60_000 })
    // Once the offset is on the medium the pop is, too.
    const isLate = seed % 2 === 0
    await machine.clock.advanceAsync(isLate ? 7000 : 5)
    machine.powerCut()
    await machine.boot()
    const second = new Popper(machine.client('member'))
    const again = await second.pop({ invisibleTime: 60_000 })
    const isThere = again.length > 0
    assert.ok(!(isLate && isThere), `seed ${seed}: its offset was written`)
    assert.equal(await second.ack(popped!), isThere ? 208 : 0, `seed ${seed}`)
    if (!isThere) continue
    assert.equal(await second.ack(again[0]!), 0)
    await machine.clock.advanceAsync(70_000)
    assert.deepEqual(await second.pop(), [])
  }
})

const seeds = Number(process.env['SKUA_POP_HISTORIES'] ?? 12)

test('kill -9 at any point loses nothing, and what was acknowledged does not come again', async () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const history = new History(seed, { isPowerCut: false, config: {} })
    await history.run(150).catch(error => assert.fail(`seed ${seed}: ${error.stack}`))
  }
})

test('it is the same where check points are written again and again', async () => {
  for (let seed = 101; seed <= 100 + seeds; seed++) {
    const config = { maxPopRereadRecords: 5, flushDiskType: 'SYNC_FLUSH' as const, flushConsumerOffsetInterval: 1000 }
    const history = new History(seed, { isPowerCut: seed % 2 === 0, config })
    await history.run(150).catch(error => assert.fail(`seed ${seed}: ${error.stack}`))
  }
})

test('a power cut under SYNC_FLUSH loses nothing, and what was acknowledged does not come again', async () => {
  for (let seed = 1; seed <= seeds; seed++) {
    const history = new History(seed, { isPowerCut: true, config: { flushDiskType: 'SYNC_FLUSH' } })
    await history.run(150).catch(error => assert.fail(`seed ${seed}: ${error.stack}`))
  }
})
