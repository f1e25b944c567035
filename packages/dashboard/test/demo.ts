import { connect, groupProgress, putTopic } from '@skua-mq/admin'
import { Producer, PushConsumer } from '@skua-mq/client'
import { type Standalone, startStandalone } from 'skua'

/** What pages show, in a cluster of whatever kind. */
export interface DemoData {
  readonly namesrvAddr: string
  readonly producer: Producer
  /** Ids of messages of the topic Orders, in their order. */
  readonly orders: readonly string[]
  /** Ends the clients. */
  close(): Promise<void>
}

/** The same in a cluster of its own. */
export interface Demo extends DemoData {
  readonly skua: Standalone
  readonly brokerAddr: string
  stop(): Promise<void>
}

/** What the brokers of a demo need: in broker.conf, or as options of ours. */
export const demoConfig = { enablePropertyFilter: true, messageDelayLevel: '1s 1h 1s 1h' } as const

export async function startDemo(): Promise<Demo> {
  const config = { ...demoConfig, recallMessageEnable: true, brokerName: 'broker-a' }
  const skua = await startStandalone({ port: 0, store: 'memory', config })
  const data = await fillDemo(skua.namesrvAddr)
  const stop = async () => {
    await data.close()
    await skua.stop()
  }
  return { ...data, skua, brokerAddr: skua.brokers[0]!.address, stop }
}

/**
 * Topics Orders, Payments, Reminders, Receipts; groups billing (on-line), stock (behind, off-line), ledger (two dead letters).
 * `hasTimers`: one of the two delayed messages waits for a time of its own, which 4.9 does not know. Default true.
 */
export async function fillDemo(namesrvAddr: string, { hasTimers = true } = {}): Promise<DemoData> {
  const session = connect({ namesrvAddr })
  for (const [topic, queues] of [['Orders', 4] as const, ['Payments', 2] as const])
    await putTopic(session, { clusterName: 'DefaultCluster' }, { topic, readQueueNums: queues, writeQueueNums: queues })
  const producer = new Producer({ namesrvAddr, group: 'shop', checkTransaction: () => 'unknown' })
  const orders: string[] = []
  const send = async (from: number, to: number) => {
    for (let i = from; i < to; i++) {
      const body = JSON.stringify({
        order: 1000 + i,
        customer: `c${i % 7}`,
        total: 9.5 * (i + 1),
        items: ['tea', 'cup'],
      })
      const more = { tag: i % 3 === 0 ? 'paid' : 'new', keys: [`order-${1000 + i}`] }
      const properties = { region: i % 2 === 0 ? 'eu' : 'us' }
      orders.push((await producer.send({ topic: 'Orders', body, ...more, properties })).msgId)
    }
  }
  await send(0, 30)
  const billing = consumer(namesrvAddr, 'billing')
  billing.subscribe('Orders').onMessage(() => {})
  const ledger = consumer(namesrvAddr, 'ledger')
  ledger.subscribe('Payments').onMessage((_message, context) => {
    context.delayLevelWhenNextConsume = -1
    return 'RECONSUME_LATER'
  })
  const stock = consumer(namesrvAddr, 'stock')
  stock.subscribe('Orders', 'paid || new').onMessage(() => {})
  await Promise.all([billing.start(), ledger.start(), stock.start()])
  const isDone = async (group: string) => {
    const { queues, diffTotal } = await groupProgress(session, group).catch(() => ({ queues: [], diffTotal: 1 }))
    return queues.some(({ topic }) => topic === 'Orders') && diffTotal === 0
  }
  while (!(await isDone('stock'))) await pause()
  await stock.close()
  await send(30, 60)
  for (const n of [1, 2])
    await producer.send({ topic: 'Payments', body: `cannot be booked: ${n}`, keys: [`payment-${n}`], tag: 'card' })
  await producer.send({ topic: 'Reminders', body: 'later', delayLevel: 2 })
  const muchLater = hasTimers ? { delayMs: 3_600_000 } : { delayLevel: 4 }
  await producer.send({ topic: 'Reminders', body: 'much later', ...muchLater })
  await producer.transaction({ topic: 'Receipts', body: 'half' }, async () => 'unknown' as const)
  while (!(await isDone('billing'))) await pause()
  const letters = () => groupProgress(session, 'ledger').then(({ diffTotal }) => diffTotal === 0)
  while (!(await letters())) await pause()
  const close = async () => {
    await Promise.all([producer.close(), session.close(), billing.close(), ledger.close()])
  }
  return { namesrvAddr, producer, orders, close }
}

const consumer = (namesrvAddr: string, group: string) =>
  new PushConsumer({
    ...{ namesrvAddr, group, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', persistConsumerOffsetInterval: 100 },
  })

const pause = () => new Promise(resolve => setTimeout(resolve, 50))
