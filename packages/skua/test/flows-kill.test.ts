import assert from 'node:assert/strict'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test } from 'node:test'
import { Producer, PushConsumer } from '@skua-mq/client'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../src/index.ts'
import { ServerProcess } from './server-process.ts'

const kills = Number(process.env['SKUA_FLOW_KILLS'] ?? 3)
const topic = 'Flow'
const delaysMs = [0, 1000, 5000]
const drainMs = 60_000
const sleep = (ms: number) => new Promise<void>(resolve => setTimeout(resolve, ms))

/** What was promised about a message: its send was acknowledged, or its transaction was decided. */
interface Promised {
  readonly kind: 'retried' | 'delayed' | 'committed' | 'checked' | 'rolled back'
  readonly notBefore: number
}

/** Traffic of all three flows, which goes on whatever becomes of the broker. */
class Flows {
  readonly promised = new Map<string, Promised>()
  readonly handled = new Map<string, number>()
  /** Messages that were delivered too early, and how much. */
  readonly early: string[] = []
  private readonly verdicts = new Map<string, 'commit' | 'rollback'>()
  private readonly plain: Producer
  private readonly transactional: Producer
  private readonly consumer: PushConsumer
  private going = true
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

  missing(): string[] {
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
    if (sent.sendStatus === 'SEND_OK') this.promised.set(id, { kind, notBefore: before + delaysMs[level]! })
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

test(`SIGKILL amid retries, delays and transactions, ${kills} times: nothing promised is lost, early, or delivered though rolled back`, {
  timeout: 120_000 + kills * 10_000,
}, async t => {
  const store = mkdtempSync(join(tmpdir(), 'skua-flows-'))
  const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
  const config = ['transactionTimeOut=1000', 'transactionCheckInterval=1000', 'transactionCheckMax=1000']
  const flags = ['--store', store, '--port', String(broker), '--namesrv-port', String(nameServer)]
  const start = async () => {
    const skua = ServerProcess.skua([...flags, ...config.flatMap(each => ['--config', each])])
    await skua.says(/Skua is ready/)
    return skua
  }
  let skua = await start()
  t.after(() => skua.child.kill('SIGKILL'))
  const flows = new Flows(`127.0.0.1:${nameServer}`)
  await flows.start()
  const running = flows.run()
  for (let kill = 0; kill < kills; kill++) {
    await sleep(1500 + (kill % 7) * 170)
    await skua.signal('SIGKILL')
    skua = await start()
  }
  await sleep(1000)
  flows.stop()
  await running
  const until = Date.now() + drainMs
  while (flows.missing().length > 0 && Date.now() < until) await sleep(100)
  assert.deepEqual(flows.missing(), [])
  // Whatever was rolled back would come now, if it came.
  await sleep(2500)
  await flows.close()
  const wrong = [...flows.promised].filter(([id, { kind }]) => kind === 'rolled back' && flows.handled.has(id))
  assert.deepEqual(wrong, [])
  assert.deepEqual(flows.early, [])
  const kinds = new Map<string, number>()
  for (const { kind } of flows.promised.values()) kinds.set(kind, (kinds.get(kind) ?? 0) + 1)
  const twice = [...flows.handled.values()].filter(count => count > 1).length
  t.diagnostic(`${[...kinds].map(([kind, count]) => `${count} ${kind}`).join(', ')}; ${twice} came more than once`)
  for (const kind of ['retried', 'delayed', 'committed', 'checked', 'rolled back'])
    assert.ok((kinds.get(kind) ?? 0) > 10 * kills, `${kinds.get(kind)} ${kind}`)
  assert.equal((await skua.signal('SIGTERM')).code, 0)
  rmSync(store, { recursive: true, force: true })
})
