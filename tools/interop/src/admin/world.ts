import { mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type MessageQueue, Producer, PushConsumer } from '@skua-mq/client'
import { mqadmin } from '../../../../packages/skua/test/mqadmin/run.ts'
import type { ReferenceVersion } from '../reference/jars.ts'
import { startReference } from '../reference/start.ts'
import { startSkua } from '../start-skua.ts'
import { until } from '../until.ts'

/** Whom the tools ask: Skua, or a real RocketMQ. */
export type Server = 'skua' | ReferenceVersion
export const servers: readonly Server[] = ['skua', '4.9.7', '5.3.3']

/** A broker with the same few topics, groups and messages, whoever it is. */
export interface World {
  readonly namesrvAddr: string
  /** What command lines name by `$name`. */
  readonly names: Readonly<Record<string, string>>
  /** Resolves when the broker's statistics have the messages: it takes samples every ten seconds. */
  sampled(): Promise<void>
  /** Ends the clients; what they leave behind stays. */
  closeClients(): Promise<void>
  stop(): Promise<void>
}

const conf = { enablePropertyFilter: true, aclEnable: false, brokerName: 'broker-a', traceTopicEnable: false }

interface Running {
  readonly namesrvAddr: string
  readonly brokerAddr: string
  readonly stop: () => Promise<void>
}

async function startServer(server: Server): Promise<Running> {
  if (server !== 'skua') {
    const reference = await startReference({ version: server, conf })
    return { ...reference, stop: () => reference.stop('SIGKILL') }
  }
  const skua = await startSkua({ port: 0, store: 'memory', config: { enablePropertyFilter: true } })
  return { namesrvAddr: skua.namesrvAddr, brokerAddr: skua.brokers[0]?.address ?? '', stop: () => skua.stop() }
}

/** Starts a server and gives it its data: ends when a consumer stands at the end of Orders and a dead letter is there. */
export async function startWorld(server: Server): Promise<World> {
  const running = await startServer(server)
  const { namesrvAddr, brokerAddr } = running
  const dir = mkdtempSync(join(tmpdir(), 'skua-admin-'))
  const run = (line: string) => mqadmin(line, { NAMESRV_ADDR: namesrvAddr })
  const works = async (line: string) => (await run(line)).exitCode === 0
  const told = async (line: string) => (await run(line)).output
  const ours = async (line: string) => {
    const { exitCode, errors } = await run(line)
    if (exitCode !== 0) throw new Error(`${line}: ${errors}`)
  }
  const from = { consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET', persistConsumerOffsetInterval: 200 } as const
  const producer = new Producer({ namesrvAddr, group: 'makers', defaultTopicQueueNums: 1 })
  const billing = new PushConsumer({ namesrvAddr, group: 'billing', ...from })
  const dead = new PushConsumer({ namesrvAddr, group: 'dead', maxReconsumeTimes: 0, ...from })
  const clients = [producer, billing, dead]
  const closeClients = async () => {
    await Promise.allSettled(clients.splice(0).map(client => client.close()))
  }
  const stop = async () => {
    await closeClients()
    await running.stop()
    rmSync(dir, { recursive: true, force: true })
  }
  try {
    // The real server was probed with this topic.
    if (server === 'skua') await producer.send({ topic: 'skua_reference_probe', body: 'probe' })
    for (const topic of ['Orders', 'Late', 'Bills', 'Gone']) {
      await ours(`updateTopic -b ${brokerAddr} -t ${topic} -r 2 -w 2`)
      await until(() => works(`topicRoute -t ${topic}`), `the route of ${topic}`)
    }
    await ours(`updateSubGroup -b ${brokerAddr} -g idle -r 3`)
    await ours('updateKvConfig -s shop -k colour -v red')
    let seen = 0
    billing.subscribe('Orders', 'A || B').onMessage(() => void seen++)
    let failed = 0
    dead.subscribe('Bills').onMessage(() => {
      failed++
      return 'RECONSUME_LATER'
    })
    await Promise.all([billing.start(), dead.start()])
    const inQueue = (queueId: number) => ({
      select: (queues: readonly MessageQueue[]) => queues.find(queue => queue.queueId === queueId) as MessageQueue,
    })
    const first = await producer.send({ topic: 'Orders', body: 'one', keys: 'k1', tag: 'A' }, inQueue(0))
    await producer.send({ topic: 'Orders', body: 'two', keys: 'k2', tag: 'B' }, inQueue(1))
    await producer.send({ topic: 'Late', body: 'later', delayLevel: 18 }, inQueue(0))
    await producer.send({ topic: 'Bills', body: 'unpayable' }, inQueue(0))
    await until(async () => seen === 2 && failed > 0, 'messages are consumed')
    await until(
      async () => /broker-a\s+0\s+0\s+1/.test(await told('topicStatus -t %DLQ%dead')),
      'the dead letter is there',
    )
    // Broker 4.9 has no figures in its first ten seconds.
    await until(() => works(`brokerStatus -b ${brokerAddr}`), 'the broker has figures')
    for (const group of ['billing', 'dead'])
      await until(async () => /Diff Total: 0/.test(await told(`consumerProgress -g ${group}`)), 'offsets are committed')
    // What is in them is there at that time, so that lists stay as they are.
    writeFileSync(join(dir, 'topics.json'), '[{"topicName":"Made","readQueueNums":4,"writeQueueNums":4}]')
    writeFileSync(join(dir, 'groups.json'), '[{"groupName":"made","retryMaxTimes":5}]')
    const names = {
      ...{ broker: brokerAddr, namesrv: namesrvAddr, dir },
      ...{ msgId: first.msgId, offsetMsgId: first.offsetMsgId ?? '', queue: String(first.queue.queueId) },
      ...{ client: await clientOf(told), offset: String(first.queueOffset) },
    }
    const sampled = () =>
      until(async () => / 2 +2$/m.test(await told('statsAll -t Orders')), 'the messages are in the statistics')
    return { namesrvAddr, names, sampled, closeClients, stop }
  } catch (error) {
    await stop()
    throw error
  }
}

async function clientOf(told: (line: string) => Promise<string>): Promise<string> {
  const { clients } = JSON.parse(await told('consumerConnection -g billing --json')) as Connections
  return clients[0]?.clientId ?? ''
}

interface Connections {
  readonly clients: readonly { readonly clientId: string }[]
}
