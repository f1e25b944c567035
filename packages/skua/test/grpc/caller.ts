import { createHmac } from 'node:crypto'
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2'
import { type ProtoFields, type ProtoMessage, protocolMessages } from '@skua-mq/gateway'

// biome-ignore lint/suspicious/noExplicitAny: answers of any method; the test says what it looks for
export type Told = Record<string, any>

const service = '/apache.rocketmq.v2.MessagingService/'

const messageOf = (name: string): ProtoMessage<ProtoFields> => {
  const found = protocolMessages.find(message => message.name === name)
  if (found === undefined) throw new Error(`no message ${name}`)
  return found
}

function framed(message: Buffer): Buffer {
  const head = Buffer.alloc(5)
  head.writeUInt32BE(message.length, 1)
  return Buffer.concat([head, message])
}

/** A call that is under way: what came so far, and its end. */
export interface Open {
  readonly stream: ClientHttp2Stream
  readonly answers: Told[]
  /** The status of gRPC; '' where the stream was cut. */
  readonly ended: Promise<string>
  send(request: Told): void
}

export interface CallerOptions {
  readonly clientId: string
  readonly account?: { readonly accessKey: string; readonly secretKey: string }
}

/** A gRPC client by hand: it does what it is told, also what no library would do. */
export class Caller {
  readonly session: ClientHttp2Session
  private readonly options: CallerOptions

  constructor(address: string, options: CallerOptions) {
    this.options = options
    this.session = connect(`http://${address}`)
    this.session.on('error', () => {})
  }

  /** One request and its only answer. */
  async ask(method: string, request: Told): Promise<Told> {
    const open = this.open(method, request)
    open.stream.end()
    await open.ended
    return open.answers[0] ?? {}
  }

  open(method: string, request?: Told, headers: Record<string, string> = {}): Open {
    const isTelemetry = method === 'Telemetry'
    const requestType = messageOf(isTelemetry ? 'TelemetryCommand' : `${method}Request`)
    const hasStatusOnly = ['Heartbeat', 'NotifyClientTermination', 'EndTransaction', 'ForwardMessageToDeadLetterQueue']
    const answerName = hasStatusOnly.includes(method) ? 'StatusResponse' : `${method}Response`
    const answerType = messageOf(isTelemetry ? 'TelemetryCommand' : answerName)
    const stream = this.session.request({
      ...{ ':method': 'POST', ':path': `${service}${method}`, 'content-type': 'application/grpc', te: 'trailers' },
      ...{ 'x-mq-client-id': this.options.clientId, 'x-mq-language': 'JAVA', ...this.signature(), ...headers },
    })
    const answers: Told[] = []
    let bytes = Buffer.alloc(0)
    stream.on('data', chunk => {
      bytes = Buffer.concat([bytes, chunk])
      while (bytes.length >= 5 && bytes.length >= 5 + bytes.readUInt32BE(1)) {
        const end = 5 + bytes.readUInt32BE(1)
        answers.push(answerType.decode(bytes.subarray(5, end)))
        bytes = bytes.subarray(end)
      }
    })
    let status = ''
    const note = (told: Told) => {
      status = String(told['grpc-status'] ?? status)
    }
    stream.on('response', note)
    stream.on('trailers', note)
    stream.on('error', () => {})
    const ended = new Promise<string>(resolve => stream.on('close', () => resolve(status)))
    const send = (each: Told) => void stream.write(framed(requestType.encode(each)))
    if (request !== undefined) send(request)
    return { stream, answers, ended, send }
  }

  /** Sends its settings and waits for those of the server. */
  async settle(settings: Told): Promise<Open> {
    const open = this.open('Telemetry', { settings })
    await until(() => open.answers.length > 0)
    return open
  }

  close(): void {
    this.session.destroy()
  }

  private signature(): Record<string, string> {
    const { account } = this.options
    if (account === undefined) return {}
    const date = '20260101T000000Z'
    const signature = createHmac('sha1', account.secretKey).update(date).digest('hex').toUpperCase()
    const text = `Credential=${account.accessKey}, SignedHeaders=x-mq-date-time, Signature=${signature}`
    return { 'x-mq-date-time': date, authorization: `MQv2-HMAC-SHA1 ${text}` }
  }
}

/** Waits for a condition, a few seconds at most. */
export async function until(isSo: () => boolean | Promise<boolean>, ms = 10_000): Promise<void> {
  const end = performance.now() + ms
  while (!(await isSo())) {
    if (performance.now() > end) throw new Error(`not so within ${ms} ms: ${isSo}`)
    await new Promise(resolve => setTimeout(resolve, 20))
  }
}

/** A request to receive from any queue. */
export const receiveOf = (topic: string, group: string, wishes: Told = {}): Told => ({
  group: { name: group },
  messageQueue: { topic: { name: topic }, id: -1, broker: { name: 'broker-a' } },
  filterExpression: { type: 1, expression: '*' },
  batchSize: 32,
  invisibleDuration: { seconds: 30 },
  longPollingTimeout: { seconds: 5 },
  ...wishes,
})

export const sendOf = (topic: string, body: string | Buffer, system: Told = {}): Told => ({
  messages: [
    {
      topic: { name: topic },
      body: Buffer.from(body),
      systemProperties: { messageId: `id-${body.slice(0, 20)}`, ...system },
    },
  ],
})

/** Bodies of the messages among the answers of a receive. */
export const bodiesOf = (answers: readonly Told[]): string[] =>
  answers.filter(({ message }) => message !== undefined).map(({ message }) => String(message.body))

export const consumerOf = (topic: string, group: string, clientType = 2): Told => ({
  clientType,
  subscription: {
    group: { name: group },
    subscriptions: [{ topic: { name: topic }, expression: { type: 1, expression: '*' } }],
  },
})
