import { Producer, PushConsumer } from '@skua-mq/client'
import type { Driver } from '../../../../tools/interop/src/driver.ts'
import { sleep } from '../flows.ts'

const sendMsgTimeout = 3000

/** A producer and a push consumer of one client. */
export interface ClientSides {
  readonly name: string
  /** The status of its answer; throws without one. */
  readonly send: (topic: string, body: string) => Promise<string>
  readonly consume: (topic: string, took: (body: string) => void) => Promise<void>
  readonly close: () => Promise<void>
}

/**
 * An official client behind its driver, which is made with `took`. `pollMs`: pollNameServerInterval, where it has that. Several of one
 * driver would tell what they took without saying who they are: one of them consumes.
 */
export function officialSides({
  name,
  driver,
  namesrvAddr,
  pollMs,
}: {
  readonly name: string
  readonly driver: (took: (body: string) => void) => Promise<Driver>
  readonly namesrvAddr: string
  readonly pollMs?: number
}): ClientSides {
  let running: Driver | undefined
  let tell: (body: string) => void = () => {}
  const started = async () => {
    running ??= await driver(body => tell(body))
    return running
  }
  const id = name.replaceAll(/[^a-zA-Z0-9]/g, '-')
  const poll = pollMs === undefined ? {} : { pollMs }
  return {
    name,
    send: async (topic, body) => {
      const request = { namesrv: namesrvAddr, group: `${id}-producer`, topic, body, timeoutMs: sendMsgTimeout, ...poll }
      const [sent] = await (await started()).call<{ status: string }[]>('send', request)
      return sent!.status
    },
    consume: async (topic, took) => {
      tell = took
      const request = { name: id, namesrv: namesrvAddr, group: `${id}-consumer`, topic, report: true, ...poll }
      await (await started()).call('push', request)
    },
    close: async () => running?.kill(),
  }
}

/** Our SDK, in this process. */
export function ownSides(namesrvAddr: string): ClientSides {
  const producer = new Producer({ namesrvAddr, group: 'sdk-producer', instanceName: 'sdk-producer', sendMsgTimeout })
  const group = { group: 'sdk-consumer', instanceName: 'sdk-consumer' }
  const consumer = new PushConsumer({ namesrvAddr, ...group, consumeFromWhere: 'CONSUME_FROM_FIRST_OFFSET' })
  return {
    name: 'SDK',
    send: async (topic, body) => (await producer.send({ topic, body })).sendStatus,
    consume: async (topic, took) => {
      consumer.subscribe(topic).onMessage(message => took(message.text()))
      await Promise.all([producer.start(), consumer.start()])
    },
    close: async () => {
      await Promise.all([producer.close(), consumer.close()])
    },
  }
}

/** The longest in each stretch of time, ms. */
class Longest {
  readonly ms: number[] = []
  private longestMs = 0

  was(ms: number): void {
    this.longestMs = Math.max(this.longestMs, ms)
  }

  nextStretch(): void {
    this.ms.push(Math.round(this.longestMs))
    this.longestMs = 0
  }
}

/** Between two of something. */
class Gaps extends Longest {
  private lastMs = performance.now()

  happened(): void {
    this.soFar()
    this.lastMs = performance.now()
  }

  override nextStretch(): void {
    this.soFar()
    super.nextStretch()
  }

  private soFar(): void {
    this.was(performance.now() - this.lastMs)
  }
}

/** One client that sends without end, one message after another, and consumes what all of them send. */
export class TriedClient {
  readonly sides: ClientSides
  /** Answered with SEND_OK. */
  readonly acknowledged: string[] = []
  readonly taken = new Set<string>()
  /** Answered with something else, or not at all: how many. */
  stored = 0
  failed = 0
  private readonly sending = new Gaps()
  private readonly consuming = new Gaps()
  private readonly lateness = new Longest()
  /** Of all clients: when a message was acknowledged. */
  private readonly times: Map<string, number>

  constructor(sides: ClientSides, times: Map<string, number>) {
    this.sides = sides
    this.times = times
  }

  start(topic: string): Promise<void> {
    return this.sides.consume(topic, body => {
      const acknowledgedMs = this.times.get(body)
      if (acknowledgedMs !== undefined && !this.taken.has(body)) this.lateness.was(performance.now() - acknowledgedMs)
      this.taken.add(body)
      this.consuming.happened()
    })
  }

  async run(topic: string, going: () => boolean): Promise<void> {
    for (let number = 0; going(); number++) {
      const body = `${this.sides.name} ${number}`
      try {
        if ((await this.sides.send(topic, body)) === 'SEND_OK') {
          this.acknowledged.push(body)
          this.times.set(body, performance.now())
          this.sending.happened()
        } else this.stored++
        await sleep(20)
      } catch {
        this.failed++
        await sleep(100)
      }
    }
  }

  /** What is measured from now on is of the next kill. */
  nextStretch(): void {
    for (const each of [this.sending, this.consuming, this.lateness]) each.nextStretch()
  }

  /** Without the stretch before the first kill, which begins before there is anything. */
  get figures(): {
    readonly sendMs: readonly number[]
    readonly consumeMs: readonly number[]
    readonly lateMs: readonly number[]
  } {
    const [sendMs, consumeMs, lateMs] = [this.sending, this.consuming, this.lateness].map(({ ms }) => ms.slice(1))
    return { sendMs: sendMs!, consumeMs: consumeMs!, lateMs: lateMs! }
  }
}
