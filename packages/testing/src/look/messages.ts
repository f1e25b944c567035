import { AdminError, type AdminSession, type FoundMessage, readQueue, readQueues } from '@skua-mq/admin'

/** A stored message, decoded. */
export class TestMessage {
  readonly topic: string
  readonly msgId: string
  readonly tag: string | undefined
  readonly keys: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  readonly body: Buffer
  readonly queueId: number
  readonly queueOffset: number
  /** Of a retry: how often it was tried before. */
  readonly reconsumeTimes: number
  readonly bornAtMs: number
  readonly storedAtMs: number

  constructor(found: FoundMessage) {
    this.topic = found.topic
    this.msgId = found.msgId
    this.tag = found.tags
    this.keys = found.keys
    this.properties = found.properties
    this.body = found.body
    this.queueId = found.queueId
    this.queueOffset = found.queueOffset
    this.reconsumeTimes = found.reconsumeTimes
    this.bornAtMs = found.bornAtMs
    this.storedAtMs = found.storedAtMs
  }

  /** The body as UTF-8. */
  get text(): string {
    return this.body.toString('utf8')
  }

  /** The body as JSON; the text where it is none. */
  get value(): unknown {
    try {
      return JSON.parse(this.text)
    } catch {
      return this.text
    }
  }
}

/** All messages of a topic, in the order in which they were stored; none where there is no such topic. */
export async function messagesOf(session: AdminSession, topic: string): Promise<TestMessage[]> {
  const found: FoundMessage[] = []
  try {
    for (const queue of await readQueues(session, topic))
      for await (const message of readQueue(session, queue)) found.push(message)
  } catch (error) {
    if (error instanceof AdminError && error.code === 'NOT_FOUND') return []
    throw error
  }
  return found.sort((a, b) => a.physicalOffset - b.physicalOffset).map(message => new TestMessage(message))
}
