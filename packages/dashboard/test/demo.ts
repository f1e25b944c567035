import { connect, groupProgress, putTopic } from '@skua-mq/admin'
import { Producer, PushConsumer } from '@skua-mq/client'
import { type Standalone, startStandalone } from 'skua'

/** A cluster with a little of everything that pages show. */
export interface Demo {
  readonly skua: Standalone
  readonly namesrvAddr: string
  readonly brokerAddr: string
  readonly producer: Producer
  /** Ids of messages of the topic Orders, in their order. */
  readonly orders: readonly string[]
  stop(): Promise<void>
}

const config = {
  enablePropertyFilter: true,
  recallMessageEnable: true,
  messageDelayLevel: '1s 1h 1s 1h',
  brokerName: 'broker-a',
} as const

/** Topics Orders, Payments, Reminders, Receipts; groups billing (on-line), stock (behind, off-line), ledger (two dead letters). */
export async function startDemo(): Promise<Demo> {
  const skua = await startStandalone({ port: 0, store: 'memory', config })
  const { namesrvAddr } = skua
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
  await producer.send({ topic: 'Reminders', body: 'much later', delayMs: 3_600_000 })
  await producer.transaction({ topic: 'Receipts', body: 'half' }, async () => 'unknown' as const)
  while (!(await isDone('billing'))) await pause()
  const letters = () => groupProgress(session, 'ledger').then(({ diffTotal }) => diffTotal === 0)
  while (!(await letters())) await pause()
  const stop = async () => {
    await Promise.all([producer.close(), session.close(), billing.close(), ledger.close()])
    await skua.stop()
  }
  return { skua, namesrvAddr, brokerAddr: skua.brokers[0]!.address, producer, orders, stop }
}

const consumer = (namesrvAddr: string, group: string) =>
  new PushConsumer({
    ...{ namesrvAddr, group, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', persistConsumerOffsetInterval: 100 },
  })

const pause = () => new Promise(resolve => setTimeout(resolve, 50))
