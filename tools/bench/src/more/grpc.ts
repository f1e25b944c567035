import { type ClientHttp2Session, connect } from 'node:http2'
import { Admin } from '@skua-mq/client'
import { framed } from '../../../../packages/gateway/src/grpc/frames.ts'
import {
  AckMessageRequest,
  ReceiveMessageRequest,
  ReceiveMessageResponse,
  SendMessageRequest,
  SendMessageResponse,
} from '../../../../packages/gateway/src/v2/requests.ts'
import { startReferenceProxy } from '../../../interop/src/reference/proxy.ts'
import { figuresOf } from '../process-figures.ts'
import type { Contender } from '../servers.ts'
import { count, type Extra } from './extra.ts'

const service = '/apache.rocketmq.v2.MessagingService/'
const ok = 20_000

/** One call: the bytes of all its answers. */
function call(session: ClientHttp2Session, name: string, request: Buffer): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const stream = session.request({
      ...{ ':method': 'POST', ':path': `${service}${name}`, 'content-type': 'application/grpc', te: 'trailers' },
      ...{
        'x-mq-client-id': 'bench@1',
        'x-mq-language': 'JAVA',
        'x-mq-client-version': '5.2.0',
        'grpc-timeout': '30S',
      },
    })
    const chunks: Buffer[] = []
    stream.on('data', chunk => chunks.push(chunk))
    stream.on('error', reject)
    stream.on('end', () => resolve(Buffer.concat(chunks)))
    stream.end(framed(request))
  })
}

/** The messages behind each other, without their prefixes. */
function* messagesIn(bytes: Buffer): Generator<Buffer> {
  for (let at = 0; at + 5 <= bytes.length; ) {
    const length = bytes.readUInt32BE(at + 1)
    yield bytes.subarray(at + 5, at + 5 + length)
    at += 5 + length
  }
}

interface Servers {
  readonly grpcAddr: string
  readonly pids: readonly number[]
  stop(): Promise<void>
}

/** Ours has the endpoint in its process; Apache's is another one, whose CPU counts too. */
async function serversOf(contender: Contender): Promise<Servers> {
  const pid = contender.pid as number
  if (contender.grpcAddr !== undefined)
    return { grpcAddr: contender.grpcAddr, pids: [pid], stop: () => Promise.resolve() }
  const proxy = await startReferenceProxy(contender.namesrv, { heapMb: 1024 })
  return { grpcAddr: proxy.grpcAddr, pids: [pid, proxy.pid], stop: () => proxy.stop() }
}

const cpuOf = (pids: readonly number[]) => pids.reduce((sum, pid) => sum + figuresOf(pid).cpuSeconds, 0)

interface Work {
  readonly sessions: readonly ClientHttp2Session[]
  /** Calls of a session at the same time. */
  readonly window: number
  readonly seconds: number
  /** Messages that it did. */
  readonly one: (session: ClientHttp2Session) => Promise<number>
}

async function during({ sessions, window, seconds, one }: Work): Promise<number> {
  const until = performance.now() + seconds * 1000
  let messages = 0
  const loops = sessions.flatMap(session =>
    Array.from({ length: window }, async () => {
      while (performance.now() < until) {
        const done = await one(session)
        messages += done
      }
    }),
  )
  await Promise.all(loops)
  return messages
}

const topic = { name: 'Grpc' }
let id = 0

async function send(session: ClientHttp2Session): Promise<number> {
  const systemProperties = { messageId: `01${(++id).toString(16).padStart(32, '0')}`, tag: 'A', keys: ['k'] }
  const message = { topic, systemProperties, body: Buffer.alloc(1024, 'x') }
  const answer = await call(session, 'SendMessage', SendMessageRequest.encode({ messages: [message] }))
  const { status } = SendMessageResponse.decode(answer.subarray(5))
  if (status?.code !== ok) throw new Error(`${status?.code} ${status?.message}`)
  return 1
}

async function receive(session: ClientHttp2Session): Promise<number> {
  const group = { name: 'G_grpc' }
  const request = ReceiveMessageRequest.encode({
    ...{ group, messageQueue: { topic, id: -1, broker: { name: 'broker-a' } }, batchSize: 32 },
    ...{ filterExpression: { type: 1, expression: '*' }, invisibleDuration: { seconds: 60 } },
    longPollingTimeout: { seconds: 5 },
  })
  const found = [...messagesIn(await call(session, 'ReceiveMessage', request))]
    .map(bytes => ReceiveMessageResponse.decode(bytes).message?.systemProperties)
    .filter(properties => properties !== undefined)
  if (found.length === 0) return 0
  const entries = found.map(({ messageId = '', receiptHandle = '' }) => ({ messageId, receiptHandle }))
  await call(session, 'AckMessage', AckMessageRequest.encode({ group, topic, entries }))
  return found.length
}

async function measured(contender: Contender): Promise<string> {
  const servers = await serversOf(contender)
  const admin = new Admin({ namesrvAddr: contender.namesrv })
  await admin.createTopic(topic.name, { queueNum: 8 })
  await admin.close()
  const sessions = Array.from({ length: 16 }, () => connect(`http://${servers.grpcAddr}`))
  try {
    const texts: string[] = []
    for (const [what, one] of [
      ['send', send],
      ['receive and ack', receive],
    ] as const) {
      await during({ sessions, window: 4, seconds: what === 'send' ? 8 : 1, one })
      const before = cpuOf(servers.pids)
      const messages = await during({ sessions, window: what === 'send' ? 4 : 1, seconds: 4, one })
      const micros = ((cpuOf(servers.pids) - before) * 1e6) / messages
      texts.push(`${what} ${micros.toFixed(1)} µs/message, ${count(messages / 4)}/s`)
    }
    return texts.join('; ')
  } finally {
    for (const session of sessions) session.destroy()
    await servers.stop()
  }
}

/** CPU of all server processes together. */
export const grpc: readonly Extra[] = [
  { name: 'gRPC, 1 KiB: send 16 x 4; receive 32 and acknowledge, 16 x 1', run: measured },
]
