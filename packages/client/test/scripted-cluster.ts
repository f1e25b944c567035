import {
  getConsumerListByGroup,
  getMaxOffset,
  getRouteInfoByTopic,
  type HeaderOf,
  type HeartbeatData,
  heartBeat,
  heartbeatBody,
  pullMessage,
  queryConsumerOffset,
  ResponseCode,
  sendMessageV2,
  type TopicRouteData,
  topicRouteBody,
  unregisterClient,
  updateConsumerOffset,
} from '@skua-mq/protocol'
import { answer, type Connection, noReply, ok, RemotingServer, type Route, refuse, route } from '@skua-mq/remoting'
import { type SimClock, type SimNetwork, type SimRuntime, simRuntime } from '@skua-mq/runtime'

type PullScript = { code: ResponseCode; next: number; body?: Uint8Array } | 'held'
type SendAnswer = { code: ResponseCode; remark?: string } | 'silence'

/** A server that speaks the protocol and does what the test tells it to. */
export class ScriptedBroker {
  readonly sends: HeaderOf<typeof sendMessageV2>[] = []
  readonly heartbeats: HeartbeatData[] = []
  readonly commits: HeaderOf<typeof updateConsumerOffset>[] = []
  readonly pulls: HeaderOf<typeof pullMessage>[] = []
  readonly unregistered: string[] = []
  /** Of the last heartbeat. */
  connection: Connection | undefined
  onSend: () => SendAnswer = () => ({ code: ResponseCode.success })
  onPull: (pull: HeaderOf<typeof pullMessage>) => PullScript | Promise<PullScript> = () => 'held'
  members: () => string[] = () => this.heartbeats.map(beat => beat.clientID)
  refusesCommits = false
  endOffset: (queueId: number) => number = () => 0
  storedOffset: (queueId: number) => number | undefined = () => undefined
  readonly address: string

  constructor(address: string) {
    this.address = address
  }

  routes(): Route[] {
    return [
      route(sendMessageV2, header => {
        this.sends.push(header)
        const told = this.onSend()
        if (told === 'silence') return noReply
        const stored = [ResponseCode.success, ResponseCode.flushDiskTimeout].includes(told.code as 0)
        if (!stored) return refuse(told.code as 1, told.remark ?? 'as the test says')
        return answer(told.code, {
          msgId: '0A00000100002A9F0000000000000040',
          queueId: header.queueId,
          queueOffset: this.sends.length - 1,
        })
      }),
      route(heartBeat, (_header, { body, connection }) => {
        this.heartbeats.push(heartbeatBody.decode(body))
        this.connection = connection
        return ok({})
      }),
      route(unregisterClient, ({ producerGroup, consumerGroup }) => {
        this.unregistered.push(producerGroup ?? consumerGroup ?? '')
        return ok({})
      }),
      ...this.consumerRoutes(),
    ]
  }

  private consumerRoutes(): Route[] {
    return [
      route(getConsumerListByGroup, () => {
        const consumerIdList = [...new Set(this.members())]
        if (consumerIdList.length === 0) return refuse(ResponseCode.systemError, 'nobody')
        return ok({}, getConsumerListByGroup.replyBody!.encode({ consumerIdList }))
      }),
      route(queryConsumerOffset, ({ queueId }) => {
        const offset = this.storedOffset(queueId)
        return offset === undefined ? refuse(ResponseCode.queryNotFound, 'none') : ok({ offset })
      }),
      route(getMaxOffset, ({ queueId }) => ok({ offset: this.endOffset(queueId) })),
      route(updateConsumerOffset, header => {
        if (this.refusesCommits) return refuse(ResponseCode.systemError, 'as the test says')
        this.commits.push(header)
        return ok({})
      }),
      route(pullMessage, async header => {
        this.pulls.push(header)
        const told = await this.onPull(header)
        if (told === 'held') return noReply
        const reply = { suggestWhichBrokerId: 0, nextBeginOffset: told.next, minOffset: 0, maxOffset: 100 }
        return { ...answer(told.code, reply), body: told.body }
      }),
    ]
  }
}

export interface World {
  readonly runtime: SimRuntime
  readonly clock: SimClock
  readonly network: SimNetwork
  readonly namesrvAddr: string
  readonly brokers: readonly ScriptedBroker[]
  /** Topics that the name server knows. */
  readonly topics: Map<string, TopicRouteData>
  /** By their hosts: `ns0`, `b0` …; one that was stopped can be started again. */
  readonly servers: ReadonlyMap<string, RemotingServer>
  settle<T>(promise: Promise<T>): Promise<T>
  stop(): Promise<void>
}

/** A name server `ns` and brokers `b0`, `b1` … in a simulated network; topic T has two queues at each. */
export async function world(
  brokerCount: number,
  options: { nameServers?: number; routes?: Route[] } = {},
): Promise<World> {
  const runtime = simRuntime({ seed: 7, host: 'client' })
  const { clock, network } = runtime
  const servers = new Map<string, RemotingServer>()
  const topics = new Map<string, TopicRouteData>()
  const open = async (host: string, port: number, routes: Route[]) => {
    const there = simRuntime({ seed: 8, host, clock, network })
    const server = new RemotingServer({
      ...there,
      name: host,
      listen: [{ host: network.addressOf(host), port }],
      routes,
    })
    await clock.until(server.start())
    servers.set(host, server)
  }
  const names = Array.from({ length: options.nameServers ?? 1 }, (_, i) => `ns${i}`)
  for (const name of names) await open(name, 9876, [nameServerRoute(topics)])
  const brokers: ScriptedBroker[] = []
  for (let i = 0; i < brokerCount; i++) {
    const broker = new ScriptedBroker(`${network.addressOf(`b${i}`)}:10911`)
    await open(`b${i}`, 10911, [...broker.routes(), ...(options.routes ?? [])])
    brokers.push(broker)
  }
  topics.set('T', routeOf(brokers))
  return {
    runtime,
    clock,
    network,
    namesrvAddr: names.map(name => `${network.addressOf(name)}:9876`).join(';'),
    brokers,
    topics,
    servers,
    settle: promise => clock.until(promise),
    stop: async () => {
      for (const server of servers.values()) await clock.until(server.stop())
    },
  }
}

const nameServerRoute = (topics: Map<string, TopicRouteData>): Route =>
  route(getRouteInfoByTopic, ({ topic }) => {
    const data = topics.get(topic)
    return data === undefined ? refuse(ResponseCode.topicNotExist, topic) : ok({}, topicRouteBody.encode(data))
  })

export function routeOf(brokers: readonly ScriptedBroker[]): TopicRouteData {
  const names = brokers.map((_, i) => `b${i}`)
  return {
    queueDatas: names.map(brokerName => ({
      brokerName,
      perm: 6,
      readQueueNums: 2,
      writeQueueNums: 2,
      topicSysFlag: 0,
    })),
    brokerDatas: brokers.map(({ address }, i) => ({
      cluster: 'c',
      brokerName: names[i]!,
      brokerAddrs: new Map([[0, address]]),
    })),
    filterServerTable: new Map(),
    orderTopicConf: undefined,
  }
}
