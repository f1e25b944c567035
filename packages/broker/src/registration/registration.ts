import {
  getKvListByNamespace,
  type RegisterBody,
  ResponseCode,
  registerBodySlices,
  registerBroker,
  unregisterBroker,
} from '@skua-mq/protocol'
import { inTurns, type RemotingClient } from '@skua-mq/remoting'
import { type Clock, defineEvent, delay, type Events, every, type Service, type Timer } from '@skua-mq/runtime'

export const registrationFailed = defineEvent<{ namesrvAddr: string; reason: string }>(
  'registration with a name server failed',
  'warn',
)
export const registered = defineEvent<{ namesrvAddr: string; brokerAddr: string }>(
  'registered with a name server',
  'debug',
)

export const orderTopicsNotTaken = defineEvent<{ error: unknown }>('order topics could not be saved', 'error')

/** What a name server told a slave of its master. */
export interface MasterAddresses {
  readonly haServerAddr?: string | undefined
  readonly masterAddr?: string | undefined
}

export interface RegistrationParts {
  readonly client: Pick<RemotingClient, 'request'>
  readonly clock: Clock
  readonly events: Events
  readonly namesrvAddrs: () => readonly string[]
  /** Known once the listeners are open. */
  readonly identity: () => {
    clusterName: string
    brokerName: string
    brokerAddr: string
    brokerId: number
    haServerAddr: string
  }
  /** Its topics are read over several turns; the version is that of the first one. */
  readonly body: () => RegisterBody
  /** Told of each reply: only a slave gets addresses, and only while its master is there. */
  readonly master?: (addresses: MasterAddresses) => void
  /** What the name servers hold for ordered topics (KV namespace ORDER_TOPIC_CONFIG), after a periodic round. */
  readonly orderTopics?: (topics: ReadonlySet<string>) => Promise<void>
  /** registerNameServerPeriod */
  readonly periodMs: () => number
  /** registerBrokerTimeoutMills */
  readonly timeoutMs: () => number
}

/**
 * The first change after a quiet time is told at once: a consumer asks for the route of its retry topic 8 ms after its first
 * heartbeat, and then not for 30 s. Those that follow close upon it become one registration; where one takes long, for
 * twice as long.
 */
const gatherMs = 10
const longestGatherMs = 500
/** After a failure or a lost connection a name server is told again this soon, so that one which comes back knows the broker. */
const retryMs = 3000
/** Whoever waits for the name servers to know something waits no longer than this for those that do not answer. */
export const announceWaitMs = 1000
/** How long a name server may take to let a stopping broker go. */
const unregisterTimeoutMs = 500

/**
 * Tells every name server of this broker: at start, every registerNameServerPeriod, and at once on a change. Each name
 * server is told on its own, so that one which does not answer keeps none from hearing.
 */
export class Registration implements Service {
  readonly name = 'registration'
  private readonly parts: RegistrationParts
  private readonly retries = new Map<string, Timer>()
  /** Name servers that did not take the last registration: nobody waits for them. */
  private readonly silent = new Set<string>()
  /** A name server has taken a registration since the start: clients can find this broker. */
  wasTaken = false
  private timer: Timer | undefined
  private soon: Promise<void> | undefined
  private soonTimer: Timer | undefined
  private stopped = false
  /** Registrations are made one after another: the newest is told last. */
  private making: Promise<unknown> = Promise.resolve()
  private lastRoundMs = 0
  /** When a change was told of last. */
  private lastChangeMs = Number.NEGATIVE_INFINITY

  constructor(parts: RegistrationParts) {
    this.parts = parts
  }

  /** Returns when every name server that answers within `announceWaitMs` knows this broker. */
  async start(): Promise<void> {
    this.timer = every(this.parts.clock, this.parts.periodMs, () => this.periodic())
    await this.atMost(this.periodic())
  }

  /** Topics changed: registers as soon as this burst of changes is over. */
  changed(): void {
    void this.gather()
  }

  /** As `changed`, and resolves when the name servers know it; those that do not answer are not waited for. */
  announce(): Promise<void> {
    return this.atMost(this.gather())
  }

  /** The connection to a name server is gone. One that was started anew knows nothing: it is told as soon as it can be. */
  lost(namesrvAddr: string): void {
    if (this.parts.namesrvAddrs().includes(namesrvAddr)) this.retry(namesrvAddr)
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    this.soonTimer?.cancel()
    for (const retry of this.retries.values()) retry.cancel()
    await this.leave(this.parts.namesrvAddrs())
  }

  /** The broker has other name servers now: those that are left hear so, and the others of the broker. */
  moved(left: readonly string[]): void {
    for (const namesrvAddr of left) {
      this.retries.get(namesrvAddr)?.cancel()
      this.retries.delete(namesrvAddr)
      this.silent.delete(namesrvAddr)
    }
    void this.leave(left)
    this.changed()
  }

  private async leave(namesrvAddrs: readonly string[]): Promise<void> {
    const { clusterName, brokerName, brokerAddr, brokerId } = this.parts.identity()
    const own = { clusterName, brokerName, brokerAddr, brokerId }
    const leave = async (namesrvAddr: string) => {
      try {
        await this.parts.client.request(namesrvAddr, unregisterBroker, own, { timeoutMs: unregisterTimeoutMs })
      } catch (error) {
        this.failed(namesrvAddr, `unregister: ${(error as Error).message}`)
      }
    }
    // A connection that is still being made may take longer than the request's own limit.
    await this.atMost(Promise.all(namesrvAddrs.map(leave)), unregisterTimeoutMs)
  }

  private gather(): Promise<void> {
    if (this.stopped || this.timer === undefined) return Promise.resolve()
    this.soon ??= new Promise(resolve => {
      const { clock } = this.parts
      const now = clock.monotonic()
      // Where time stands until it leaps, a burst is over at the end of the turn.
      const gather = clock.leaps ? 0 : Math.min(longestGatherMs, Math.max(gatherMs, 2 * this.lastRoundMs))
      const waitMs = Math.max(0, Math.min(gather, this.lastChangeMs + gather - now))
      this.soonTimer = clock.after(waitMs, () => {
        this.soon = undefined
        this.lastChangeMs = clock.monotonic()
        void this.round(resolve)
      })
    })
    return this.soon
  }

  private atMost(work: Promise<unknown>, ms = announceWaitMs): Promise<void> {
    const tooLong = new AbortController()
    const limit = delay(this.parts.clock, ms, tooLong.signal).catch(() => {})
    return Promise.race([work.then(() => {}), limit]).finally(() => tooLong.abort())
  }

  /** Only here are the order topics taken: name servers that hold different ones must not set off endless changes. */
  private async periodic(): Promise<void> {
    const tables = (await this.round()).filter(table => table !== undefined)
    if (tables.length === 0) return
    try {
      await this.parts.orderTopics?.(new Set(tables.flatMap(table => [...table.keys()])))
    } catch (error) {
      this.parts.events.emit(orderTopicsNotTaken({ error }))
    }
  }

  /** Returns the order topics of each name server that sent some; `known` runs as soon as those that answer know. */
  private async round(known?: () => void): Promise<(ReadonlyMap<string, string> | undefined)[]> {
    const body = await this.made()
    if (this.stopped) {
      known?.()
      return []
    }
    const told = this.parts.namesrvAddrs().map(address => ({
      done: this.tell(address, body),
      isSilent: this.silent.has(address),
    }))
    const all = Promise.all(told.map(({ done }) => done))
    const answering = told.filter(({ isSilent }) => !isSilent)
    if (known !== undefined) (answering.length === 0 ? all : Promise.all(answering.map(({ done }) => done))).then(known)
    return all
  }

  /** The body of a registration, as everything is now or a moment later. */
  private made(): Promise<Uint8Array> {
    const made = this.making.then(() => inTurns(this.parts.clock, registerBodySlices(this.parts.body())))
    this.making = made.catch(() => {})
    return made
  }

  private async tell(namesrvAddr: string, body: Uint8Array): Promise<ReadonlyMap<string, string> | undefined> {
    const { client, clock, events, timeoutMs } = this.parts
    const begun = clock.monotonic()
    const own = { ...this.parts.identity(), compressed: false, bodyCrc32: 0 }
    try {
      const reply = await client.request(namesrvAddr, registerBroker, own, { body, timeoutMs: timeoutMs() })
      if (reply.code !== ResponseCode.success) {
        this.failed(namesrvAddr, `code ${reply.code}: ${reply.remark ?? ''}`)
        return undefined
      }
      this.silent.delete(namesrvAddr)
      this.wasTaken = true
      this.lastRoundMs = clock.monotonic() - begun
      events.emit(registered({ namesrvAddr, brokerAddr: own.brokerAddr }))
      this.parts.master?.(reply.header)
      return reply.body === undefined ? undefined : getKvListByNamespace.replyBody!.decode(reply.body).table
    } catch (error) {
      this.failed(namesrvAddr, (error as Error).message)
      return undefined
    }
  }

  private failed(namesrvAddr: string, reason: string): void {
    this.parts.events.emit(registrationFailed({ namesrvAddr, reason }))
    this.silent.add(namesrvAddr)
    this.retry(namesrvAddr)
  }

  private retry(namesrvAddr: string): void {
    if (this.stopped || this.retries.has(namesrvAddr)) return
    const retry = this.parts.clock.after(retryMs, () => {
      this.retries.delete(namesrvAddr)
      if (this.parts.namesrvAddrs().includes(namesrvAddr)) void this.tellAgain(namesrvAddr)
    })
    this.retries.set(namesrvAddr, retry)
  }

  private async tellAgain(namesrvAddr: string): Promise<void> {
    const body = await this.made()
    if (!this.stopped) await this.tell(namesrvAddr, body)
  }
}
