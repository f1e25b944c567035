import { type Command, requestByCode } from '@skua-mq/protocol'

/** A request on its way, as faults are chosen by it. */
export interface Exchange {
  readonly code: number
  /** Its name in the protocol, e.g. SEND_MESSAGE_V2. */
  readonly request: string
  readonly opaque: number
  readonly topic: string | undefined
  readonly group: string | undefined
  readonly queueId: number | undefined
  /** Who asks: the client ids that its connection has told, and its address. */
  readonly clients: ReadonlySet<string>
}

/** Words for several requests of one purpose. */
export const requestWords: Readonly<Record<string, readonly string[]>> = {
  send: ['SEND_MESSAGE', 'SEND_MESSAGE_V2', 'SEND_BATCH_MESSAGE'],
  pull: ['PULL_MESSAGE', 'LITE_PULL_MESSAGE'],
  pop: ['POP_MESSAGE'],
  ack: ['ACK_MESSAGE', 'BATCH_ACK_MESSAGE'],
  retry: ['CONSUMER_SEND_MSG_BACK'],
  commit: ['UPDATE_CONSUMER_OFFSET'],
  heartbeat: ['HEART_BEAT'],
  transaction: ['END_TRANSACTION'],
  check: ['CHECK_TRANSACTION_STATE'],
  route: ['GET_ROUTEINFO_BY_TOPIC'],
}

/** Fields of requests that write their names short (send, 310 and 320). */
const shortNames = { group: 'a', topic: 'b', queueId: 'e' } as const
const shortCodes = new Set([310, 320])

export function exchangeOf(command: Command, clients: ReadonlySet<string>): Exchange {
  const { code, extFields: fields, opaque } = command
  const isShort = shortCodes.has(code)
  const queueId = isShort ? fields[shortNames.queueId] : fields.queueId
  return {
    code,
    request: requestByCode(code)?.name ?? `code ${code}`,
    opaque,
    topic: isShort ? fields[shortNames.topic] : (fields.topic ?? fields.originTopic),
    group: isShort ? fields[shortNames.group] : (fields.consumerGroup ?? fields.group ?? fields.producerGroup),
    queueId: queueId === undefined ? undefined : Number(queueId),
    clients,
  }
}

const held = new Set([...requestWords.pull!, ...requestWords.pop!, 'NOTIFICATION', 'POLLING_INFO'])

/** Whether a broker holds it while there is nothing to answer. */
export const mayBeHeld = ({ request }: Exchange): boolean => held.has(request)
