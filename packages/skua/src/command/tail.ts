import { PushConsumer } from '@skua-mq/client'
import { type AccessFlags, credentialsOf } from './access-flags.ts'
import { tlsOf } from './tls-flags.ts'

export interface TailCommand extends AccessFlags {
  readonly topic: string
  readonly namesrvAddr: string
  readonly tags: string
  readonly sql?: string
  readonly fromStart?: boolean
  readonly tls?: boolean
  readonly tlsCa?: string
  readonly count?: number
}

const tellUser = (_fields: object, text: string): void => void process.stderr.write(`skua: ${text}\n`)

/** `skua tail`: every message of a topic, to this process alone: its group is its own. */
export async function runTail(command: TailCommand): Promise<void> {
  const consumer = new PushConsumer({
    namesrvAddr: command.namesrvAddr,
    tls: tlsOf(command),
    ...credentialsOf(command),
    group: `SKUA_TAIL_${process.pid}`,
    logger: { debug() {}, info() {}, warn: tellUser, error: tellUser },
    consumeFromWhere: command.fromStart ? 'CONSUME_FROM_FIRST_OFFSET' : 'CONSUME_FROM_LAST_OFFSET',
  })
  if (command.sql === undefined) consumer.subscribe(command.topic, command.tags)
  else consumer.subscribe(command.topic, command.sql, { type: 'SQL92' })
  const end = () => void consumer.close().then(() => process.exit(0))
  process.on('SIGINT', end)
  process.on('SIGTERM', end)
  let seen = 0
  for await (const message of consumer) {
    const tag = message.tag === undefined ? '' : ` [${message.tag}]`
    process.stdout.write(
      `${message.queue.brokerName}/${message.queue.queueId} @${message.queueOffset}${tag} ${Buffer.from(message.body).toString()}\n`,
    )
    if (command.count !== undefined && ++seen >= command.count) break
  }
  await consumer.close()
}
