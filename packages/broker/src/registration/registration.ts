import { type RegisterBrokerBody, ResponseCode, registerBroker, unregisterBroker } from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'
import { type Clock, defineEvent, type Events, every, type Service, type Timer } from '@skua-mq/runtime'

export const registrationFailed = defineEvent<{ namesrvAddr: string; reason: string }>(
  'registration with a name server failed',
  'warn',
)
export const registered = defineEvent<{ namesrvAddr: string; brokerAddr: string }>(
  'registered with a name server',
  'debug',
)

export interface RegistrationParts {
  readonly client: RemotingClient
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
  readonly body: () => RegisterBrokerBody
  readonly periodMs: number
  readonly timeoutMs: number
}

/** Changes that come close together become one registration. */
const gatherMs = 10

/**
 * Tells every name server of this broker: at start, every registerNameServerPeriod, and at once on a change. Each name
 * server is told on its own, so that one which does not answer keeps none from hearing.
 */
export class Registration implements Service {
  readonly name = 'registration'
  private readonly parts: RegistrationParts
  private timer: Timer | undefined
  private soon: Timer | undefined
  private stopped = false

  constructor(parts: RegistrationParts) {
    this.parts = parts
  }

  /** The first round is waited for: a broker that has started is known to every name server that answers. */
  async start(): Promise<void> {
    this.timer = every(this.parts.clock, this.parts.periodMs, () => this.round())
    await this.round()
  }

  /** Topics changed: registers as soon as this burst of changes is over. */
  changed(): void {
    if (this.stopped || this.timer === undefined) return
    this.soon ??= this.parts.clock.after(gatherMs, () => {
      this.soon = undefined
      void this.round()
    })
  }

  async stop(): Promise<void> {
    this.stopped = true
    this.timer?.cancel()
    this.soon?.cancel()
    const { clusterName, brokerName, brokerAddr, brokerId } = this.parts.identity()
    await Promise.all(
      this.parts.namesrvAddrs().map(address =>
        this.parts.client
          .request(address, unregisterBroker, { clusterName, brokerName, brokerAddr, brokerId }, { timeoutMs: 500 })
          .catch(error => {
            this.parts.events.emit(
              registrationFailed({ namesrvAddr: address, reason: `unregister: ${(error as Error).message}` }),
            )
          }),
      ),
    )
  }

  private async round(): Promise<void> {
    const body = registerBroker.body!.encode(this.parts.body())
    await Promise.all(this.parts.namesrvAddrs().map(address => this.tell(address, body)))
  }

  private async tell(address: string, body: Uint8Array): Promise<void> {
    const { client, events, identity, timeoutMs } = this.parts
    const own = identity()
    try {
      const reply = await client.request(
        address,
        registerBroker,
        { ...own, compressed: false, bodyCrc32: 0 },
        { body, timeoutMs },
      )
      if (reply.code === ResponseCode.success)
        events.emit(registered({ namesrvAddr: address, brokerAddr: own.brokerAddr }))
      else
        events.emit(registrationFailed({ namesrvAddr: address, reason: `code ${reply.code}: ${reply.remark ?? ''}` }))
    } catch (error) {
      events.emit(registrationFailed({ namesrvAddr: address, reason: (error as Error).message }))
    }
  }
}
