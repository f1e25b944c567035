import { Producer } from '@skua-mq/client'
import { PropertyName } from '@skua-mq/protocol'
import { type AccessFlags, credentialsOf } from './access-flags.ts'
import { tlsOf } from './tls-flags.ts'

export interface SendCommand extends AccessFlags {
  readonly topic: string
  readonly body: string
  readonly namesrvAddr: string
  readonly tag?: string
  readonly key?: readonly string[]
  /** Seconds. */
  readonly delay?: number
  readonly orderKey?: string
  readonly property?: Record<string, string>
  readonly tls?: boolean
  readonly tlsCa?: string
  readonly count: number
}

/** `skua send`: one line for each message that was stored. */
export async function runSend(command: SendCommand): Promise<void> {
  const producer = new Producer({
    namesrvAddr: command.namesrvAddr,
    tls: tlsOf(command),
    group: 'SKUA_SEND',
    logger: false,
    ...credentialsOf(command),
  })
  try {
    for (let i = 0; i < command.count; i++) {
      const message = {
        topic: command.topic,
        body: command.body,
        ...(command.tag === undefined ? {} : { tag: command.tag }),
        ...(command.key === undefined ? {} : { keys: [...command.key] }),
        properties: {
          ...command.property,
          // Other clients look there for it, as gRPC's do.
          ...(command.orderKey === undefined ? {} : { [PropertyName.shardingKey]: command.orderKey }),
        },
        ...(command.delay === undefined ? {} : { delayMs: command.delay * 1000 }),
      }
      const { orderKey } = command
      const { sendStatus, msgId, queue, queueOffset } = await producer.send(
        message,
        orderKey === undefined ? {} : { orderKey },
      )
      // It is stored, but not as safely as the broker was told to: a script must hear of it.
      if (sendStatus !== 'SEND_OK') process.exitCode = 2
      process.stdout.write(`${sendStatus} ${msgId} ${queue.brokerName}/${queue.queueId} @${queueOffset}\n`)
    }
  } finally {
    await producer.close()
  }
}
