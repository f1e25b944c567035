import { createConnection, type Socket } from 'node:net'
import { getRouteInfoByTopic } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { firstOpaque, type LoadShape, opaquePlace, patchOpaque, pullFrame, sendFrame } from './frames.ts'
import { Histogram } from './histogram.ts'
import { figuresOf, machineBusySeconds } from './process-figures.ts'
import { ReplyScan } from './reply-scan.ts'

export interface LoadOptions extends LoadShape {
  readonly namesrv: string
  readonly kind: 'send' | 'pull'
  readonly connections: number
  /** Requests in flight on each connection. */
  readonly window: number
  readonly seconds: number
  /** Pulls wait so long for messages at the end of a queue; default 0, and they begin again at its start. */
  readonly suspendMs?: number | undefined
  /** Not counted: what comes before. */
  readonly warmupSeconds: number
  /** These in turn, whatever the name server says, each with `queues` queues of the topic; default: the first one that has it. */
  readonly brokers?: readonly { readonly host: string; readonly port: number }[] | undefined
  /** Process of the broker, for its CPU and memory. */
  readonly pid?: number | undefined
}

export interface LoadResult {
  readonly kind: string
  readonly messagesPerSecond: number
  readonly errors: number
  readonly p50Us: number
  readonly p99Us: number
  readonly p999Us: number
  readonly brokerCpuUsPerMessage: number | undefined
  readonly brokerRssAnonMiB: number | undefined
  readonly brokerRssMiB: number | undefined
  /** Share of one core that the generator used. */
  readonly generatorCores: number
  /** Cores that neither of the two used: how quiet the machine was. */
  readonly otherCores: number
}

/** Where the first broker of a topic listens; the topic is made by its first send when it is new. */
export async function brokerOf(
  namesrv: string,
  topic: string,
): Promise<{ host: string; port: number; queues: number }> {
  const client = new RemotingClient(nodeRuntime())
  try {
    for (const name of [topic, 'TBW102']) {
      const reply = await client.request(namesrv, getRouteInfoByTopic, { topic: name })
      if (reply.code !== 0 || reply.body === undefined) continue
      const route = getRouteInfoByTopic.replyBody!.decode(reply.body)
      const address = route.brokerDatas[0]?.brokerAddrs.get(0) ?? ''
      const queues = name === topic ? (route.queueDatas[0]?.writeQueueNums ?? 4) : 0
      return {
        host: address.slice(0, address.lastIndexOf(':')),
        port: Number(address.slice(address.lastIndexOf(':') + 1)),
        queues,
      }
    }
    throw new Error(`no route of ${topic} or TBW102 at ${namesrv}`)
  } finally {
    await client.close()
  }
}

class Lane {
  private readonly scan = new ReplyScan()
  private readonly started: Float64Array
  /** What is sent, in turn; each topic of the lane has its own. */
  private readonly frames: readonly Buffer[]
  private next = 0
  private offset = 0
  private readonly lane: number
  private readonly options: LoadOptions
  private readonly queueId: number
  private readonly counts: Counts
  private readonly socket: Socket

  constructor(
    socket: Socket,
    options: LoadOptions,
    { queueId, counts, lane }: { queueId: number; counts: Counts; lane: number },
  ) {
    this.lane = lane
    this.socket = socket
    this.options = options
    this.queueId = queueId
    this.counts = counts
    this.started = new Float64Array(options.window)
    this.frames = options.kind === 'send' ? this.sendFrames(queueId) : []
    socket.on('data', chunk => this.data(chunk as Buffer))
  }

  begin(): void {
    for (let slot = 0; slot < this.options.window; slot++) this.ask(slot)
  }

  private data(chunk: Buffer): void {
    this.socket.cork()
    this.scan.push(chunk, reply => {
      const slot = reply.opaque - firstOpaque
      const { counts, options } = this
      if (counts.counting) counts.latency.add((performance.now() - this.started[slot]!) * 1000)
      if (options.kind === 'send') {
        if (reply.code === 0) counts.messages += options.batch
        else counts.errors++
      } else if (reply.code === 0 || reply.code === 20) counts.messages += reply.next - this.offset
      else if (reply.code !== 19 && reply.code !== 21) counts.errors++
      if (options.kind === 'pull' && !(reply.code === 19 && options.suspendMs))
        this.offset = (reply.code === 0 || reply.code === 20) && reply.next > this.offset ? reply.next : 0
      if (counts.going) this.ask(slot)
    })
    this.socket.uncork()
  }

  private ask(slot: number): void {
    this.started[slot] = performance.now()
    // The socket keeps a reference until the kernel has the bytes, so every frame in flight is a copy.
    const { frames } = this
    const frame =
      frames.length > 0
        ? Buffer.from(frames[this.next++ % frames.length]!)
        : pullFrame(this.options, {
            queueId: this.queueId,
            offset: this.offset,
            suspendMs: this.options.suspendMs ?? 0,
          })
    patchOpaque(frame, opaquePlace(frame), firstOpaque + slot)
    this.socket.write(frame)
  }

  private sendFrames(queueId: number): Buffer[] {
    const { options } = this
    const { topics = 1, topic, connections } = options
    if (topics === 1) return [sendFrame(options, queueId)]
    const own = Array.from({ length: topics }, (_, at) => at).filter(at => at % connections === this.lane % connections)
    return own.map(at => sendFrame({ ...options, topic: `${topic}_${at}` }, options.fixedQueue ?? 0))
  }
}

interface Counts {
  messages: number
  errors: number
  going: boolean
  counting: boolean
  latency: Histogram
}

export const connect = (host: string, port: number): Promise<Socket> =>
  new Promise((resolve, reject) => {
    const socket = createConnection({ host, port, noDelay: true }, () => resolve(socket))
    socket.once('error', reject)
  })
const sleep = (seconds: number) => new Promise(resolve => setTimeout(resolve, seconds * 1000))

async function placesOf({ namesrv, topic, brokers, queues }: LoadOptions) {
  if (brokers !== undefined) return { brokers, queues }
  const broker = await brokerOf(namesrv, topic)
  return { brokers: [broker], queues: broker.queues || queues }
}

/** Runs one load and says what it cost. */
export async function runLoad(options: LoadOptions): Promise<LoadResult> {
  const { brokers, queues } = await placesOf(options)
  const brokerAt = (index: number) => brokers[index % brokers.length]!
  const counts: Counts = { messages: 0, errors: 0, going: true, counting: false, latency: new Histogram() }
  const sockets = await Promise.all(
    Array.from({ length: options.connections }, (_, index) => connect(brokerAt(index).host, brokerAt(index).port)),
  )
  for (const [index, socket] of sockets.entries())
    new Lane(socket, options, { queueId: Math.floor(index / brokers.length) % queues, counts, lane: index }).begin()
  await sleep(options.warmupSeconds)
  const before = snapshot(options, counts)
  counts.counting = true
  await sleep(options.seconds)
  const after = snapshot(options, counts)
  counts.going = false
  for (const socket of sockets) socket.destroy()
  return resultOf(options, counts, before, after)
}

function snapshot(options: LoadOptions, counts: Counts) {
  return {
    at: performance.now() / 1000,
    messages: counts.messages,
    broker: options.pid === undefined ? undefined : figuresOf(options.pid),
    own: figuresOf('self'),
    machine: machineBusySeconds(),
  }
}

function resultOf(
  options: LoadOptions,
  counts: Counts,
  before: ReturnType<typeof snapshot>,
  after: ReturnType<typeof snapshot>,
): LoadResult {
  const seconds = after.at - before.at
  const messages = after.messages - before.messages
  const brokerCpu =
    after.broker === undefined || before.broker === undefined
      ? undefined
      : after.broker.cpuSeconds - before.broker.cpuSeconds
  const ownCpu = after.own.cpuSeconds - before.own.cpuSeconds
  const round = (value: number) => Math.round(value * 100) / 100
  const MiB = 1024 * 1024
  return {
    kind: `${options.kind} ${options.connections}x${options.window} ${options.batch > 1 ? `batch ${options.batch} ` : ''}${options.bodyBytes} B`,
    messagesPerSecond: Math.round(messages / seconds),
    errors: counts.errors,
    p50Us: Math.round(counts.latency.percentile(0.5)),
    p99Us: Math.round(counts.latency.percentile(0.99)),
    p999Us: Math.round(counts.latency.percentile(0.999)),
    brokerCpuUsPerMessage: brokerCpu === undefined ? undefined : round((brokerCpu * 1e6) / Math.max(1, messages)),
    brokerRssAnonMiB: after.broker === undefined ? undefined : Math.round(after.broker.rssAnonBytes / MiB),
    brokerRssMiB: after.broker === undefined ? undefined : Math.round(after.broker.rssBytes / MiB),
    generatorCores: round(ownCpu / seconds),
    otherCores: round((after.machine - before.machine - ownCpu - (brokerCpu ?? 0)) / seconds),
  }
}
