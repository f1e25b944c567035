import { Producer, PushConsumer } from '@skua-mq/client'

const topic = 'Flow'
const delaysMs = [0, 1000, 5000]
const drainMs = 60_000
export const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

/** What was promised about a message: its send was acknowledged, or its transaction was decided. */
interface Promised {
  readonly kind: 'retried' | 'delayed' | 'committed' | 'checked' | 'rolled back'
  readonly notBefore: number
}

/** Traffic of all three flows, which goes on whatever becomes of the broker. */
export class Flows {
  readonly promised = new Map<string, Promised>()
  readonly handled = new Map<string, number>()
  /** Messages that were delivered too early, and how much. */
  readonly early: string[] = []
  private readonly verdicts = new Map<string, 'commit' | 'rollback'>()
  private readonly plain: Producer
  private readonly transactional: Producer
  private readonly consumer: PushConsumer
  private going = true
  private readonly waiting: ((nowMs: number) => void)[] = []
  private nextSent = 0
  private nextTransaction = 0

  constructor(namesrvAddr: string) {
    const patient = { namesrvAddr, sendMsgTimeout: 2000, retryTimesWhenSendFailed: 0 }
    this.plain = new Producer({ ...patient, group: 'flow-plain', instanceName: 'plain' })
    this.transactional = new Producer({
      ...patient,
      group: 'flow-tx',
      instanceName: 'tx',
      // A half message whose send was not acknowledged has no local transaction.
      checkTransaction: message => this.verdicts.get(message.keys[0] ?? '') ?? 'rollback',
    })
    this.consumer = new PushConsumer({
      namesrvAddr,
      group: 'flow',
      instanceName: 'consumer',
      consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET',
    })
    this.consumer.subscribe(topic).onMessage((message, context) => {
      const [id] = message.keys
      const promised = this.promised.get(id!)
      if (message.properties.get('kind') === 'retried' && message.reconsumeTimes === 0) {
        context.delayLevelWhenNextConsume = 1
        throw new Error('comes again')
      }
      const now = Date.now()
      if (promised !== undefined && now < promised.notBefore) this.early.push(`${id}: ${promised.notBefore - now} ms`)
      this.handled.set(id!, (this.handled.get(id!) ?? 0) + 1)
    })
  }

  async start(): Promise<void> {
    await Promise.all([this.plain.start(), this.transactional.start(), this.consumer.start()])
  }

  run(): Promise<unknown> {
    return Promise.all([this.loop(() => this.send()), this.loop(() => this.send()), this.loop(() => this.transact())])
  }

  stop(): void {
    this.going = false
  }

  async close(): Promise<void> {
    await Promise.all([this.consumer.close(), this.plain.close(), this.transactional.close()])
  }

  /** Once all has come, or nothing more comes: what was promised and is missing, and what came though it was rolled back. */
  async settled(): Promise<{ readonly missing: string[]; readonly wrong: string[] }> {
    const until = Date.now() + drainMs
    while (this.missing().length > 0 && Date.now() < until) await sleep(100)
    // Whatever was rolled back would come now, if it came.
    await sleep(2500)
    const wrong = [...this.promised].filter(([id, { kind }]) => kind === 'rolled back' && this.handled.has(id))
    return { missing: this.missing(), wrong: wrong.map(([id]) => id) }
  }

  /** When the next send is acknowledged that ends from now on; ms of `performance`. */
  nextAcknowledged(): Promise<number> {
    return new Promise(resolve => this.waiting.push(resolve))
  }

  /** How many of each kind were promised. */
  counts(): Map<string, number> {
    const kinds = new Map<string, number>()
    for (const { kind } of this.promised.values()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
    return kinds
  }

  private missing(): string[] {
    return [...this.promised]
      .filter(([id, { kind }]) => kind !== 'rolled back' && !this.handled.has(id))
      .map(([id]) => id)
  }

  private async loop(step: () => Promise<void>): Promise<void> {
    while (this.going) {
      try {
        await step()
        await sleep(5)
      } catch {
        // Not acknowledged, so nothing was promised.
        await sleep(50)
      }
    }
  }

  private async send(): Promise<void> {
    const number = this.nextSent++
    const level = number % 3
    const kind = level === 0 ? 'retried' : 'delayed'
    const id = `${kind}-${number}`
    const before = Date.now()
    const delay = level === 0 ? {} : { delayLevel: level }
    const sent = await this.plain.send({ topic, body: id, keys: [id], properties: { kind }, ...delay })
    if (sent.sendStatus !== 'SEND_OK') return
    this.promised.set(id, { kind, notBefore: before + delaysMs[level]! })
    this.acknowledged()
  }

  private acknowledged(): void {
    for (const tell of this.waiting.splice(0)) tell(performance.now())
  }

  private async transact(): Promise<void> {
    const number = this.nextTransaction++
    const kind = (['committed', 'rolled back', 'checked'] as const)[number % 3]!
    // A key holds no blank.
    const id = `${kind.replace(' ', '-')}-${number}`
    await this.transactional.transaction({ topic, body: id, keys: [id], properties: { kind } }, sent => {
      if (sent.sendStatus !== 'SEND_OK') return 'rollback'
      this.verdicts.set(id, kind === 'rolled back' ? 'rollback' : 'commit')
      this.promised.set(id, { kind, notBefore: 0 })
      return kind === 'committed' ? 'commit' : kind === 'checked' ? 'unknown' : 'rollback'
    })
  }
}
