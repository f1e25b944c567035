import type { PendingTransaction } from '@skua-mq/protocol'
import { type Address, defineEvent, delay, type Service } from '@skua-mq/runtime'
import { layoutOf, mayLackPages, orderTailCut } from '@skua-mq/store'
import { BrokerLife } from './broker-life.ts'
import type { BrokerConfig } from './config/options.ts'
import { Election } from './election/election.ts'
import type { BrokerOptions } from './embedding.ts'
import { brokerAddrOf, haAddrOf } from './house/own-address.ts'
import type { OpenPop } from './pop/open-pops.ts'
import type { Reopening } from './role/reopening.ts'
import { MasterElsewhere } from './role/rival-watch.ts'
import { type Role, RoleBook, roleOf } from './role/role-book.ts'
import type { TopicPlan } from './topic/topic-plan.ts'

export const roleChanges = defineEvent<{ from: string; to: string; brokerId: number; reason: string }>(
  'this broker begins anew in another role',
  'warn',
)
export const roleChanged = defineEvent<{ brokerRole: string; brokerId: number; epoch: number; ms: number }>(
  'this broker has begun anew',
  'warn',
)
export const roleNotBegun = defineEvent<{ brokerRole: string; error: unknown }>(
  'this broker could not begin anew, and tries again',
  'error',
)

/** So long the answer to whoever asked for a change may take until it has left. */
const answerMs = 100

/** Between two attempts to begin anew: a port may still be somebody else's, or a disk be full. */
const retryMs = 3000

/**
 * A broker, which may be a master now and a slave later: each is a life of its own, from recovery to a clean stop, in the
 * same process. So what a role takes begins and ends in one way, whether the process began with it or came to it.
 */
export class Broker implements Service {
  readonly name = 'broker'
  private readonly options: BrokerOptions
  private readonly book: RoleBook
  private readonly election: Election | undefined
  private life: BrokerLife
  private isRunning = false
  private changing: Promise<void> | undefined
  private readonly stopping = new AbortController()

  constructor(options: BrokerOptions) {
    const { runtime, config } = options
    this.options = options
    this.book = new RoleBook({ ...runtime, root: config.storePathRootDir, configured: roleOf(config) })
    this.election = this.electionOf(options)
    this.life = this.lifeAs(roleOf(config), config)
  }

  /** As it is at the moment: tools and a change of roles change it. */
  get config(): BrokerConfig {
    return this.life.config
  }

  get brokerAddr(): string {
    return this.life.brokerAddr
  }

  /** Secret keys of accounts; undefined without access control. For a gateway in this process: never shown or logged. */
  get secretOf(): ((accessKey: string) => string | undefined) | undefined {
    return this.life.secretOf === undefined ? undefined : accessKey => this.life.secretOf?.(accessKey)
  }

  get heldPulls(): number {
    return this.life.heldPulls
  }

  /** Where metrics are told (metricsExporterType=PROM); undefined where they are not. */
  get metricsAt(): Address | undefined {
    return this.life.metricsAt
  }

  /** Undecided transactions, oldest first, with the time of the next check; default limit 1000. */
  pendingTransactions(limit?: number): Promise<PendingTransaction[]> {
    return this.life.pendingTransactions(limit)
  }

  /** Messages that groups have popped and not acknowledged, at most `limit` (default 1000). */
  openPops(limit?: number): OpenPop[] {
    return this.life.openPops(limit)
  }

  /** Once it has started: topics that are to be there. Resolves when the name servers know them, too. */
  declareTopics(plans: readonly TopicPlan[]): Promise<void> {
    return this.life.declareTopics(plans)
  }

  /**
   * Recovery, tables, what delivers, listeners, registration: in this order, so that nobody is told of a broker that
   * cannot answer. A start that fails leaves nothing behind.
   */
  async start(): Promise<void> {
    const { config } = this.life
    let role = this.book.load()
    if (this.election !== undefined) {
      const { runtime, facts } = this.options
      this.book.named(() => runtime.random.uuid(), role)
      role = await this.election.begin(role, { mayLack: mayLackPages(runtime.disk, layoutOf(config), facts.bootId) })
    }
    if (role.brokerRole !== config.brokerRole || role.brokerId !== config.brokerId)
      this.life = this.lifeAs(role, config)
    try {
      await this.begin()
    } catch (error) {
      await this.election?.stop()
      throw error
    }
    this.isRunning = true
  }

  /** Leaves the name servers, answers what is held, closes connections, then flushes and unlocks. */
  async stop(): Promise<void> {
    this.stopping.abort()
    await this.changing
    if (this.isRunning) await this.life.stop()
    await this.election?.stop()
    this.isRunning = false
  }

  /** For an end that cannot wait for a stop: what the tables hold is saved. Errors are events. */
  rescue(): void {
    this.life.rescue()
  }

  /** One that finds another master of a later epoch begins as its slave. */
  private async begin(): Promise<void> {
    try {
      await this.life.start()
    } catch (error) {
      if (!(error instanceof MasterElsewhere)) throw error
      this.life = this.lifeAs(error.as, this.life.config)
      await this.life.start()
    }
  }

  private lifeAs(role: Role, config: BrokerConfig): BrokerLife {
    const { brokerRole, brokerId } = role
    const options = { ...this.options, config: Object.freeze({ ...config, brokerRole, brokerId }) }
    const life: BrokerLife = new BrokerLife(options, {
      book: this.book,
      election: this.election,
      reopen: as => {
        if (life === this.life) this.reopen(as)
      },
      isReopening: () => this.changing !== undefined || this.stopping.signal.aborted,
    })
    return life
  }

  private electionOf({ registry, runtime, config }: BrokerOptions): Election | undefined {
    if (registry === undefined) return undefined
    const brokerAddr = brokerAddrOf(runtime, config)
    return new Election({
      ...{ ...runtime, registry, book: this.book, configured: roleOf(config) },
      address: brokerAddr,
      haAddress: haAddrOf(brokerAddr, config),
      leaseMs: config.failoverLeaseTime,
      marginMs: config.failoverMarginTime,
    })
  }

  private reopen(as: Reopening): void {
    if (this.changing !== undefined || this.stopping.signal.aborted) return
    const { clock } = this.options.runtime
    this.changing = new Promise<void>(resolve => {
      clock.after(answerMs, () => {
        this.change(as).finally(() => {
          this.changing = undefined
          resolve()
        })
      })
    })
  }

  private async change(as: Reopening): Promise<void> {
    const { clock, disk, events } = this.options.runtime
    const { signal } = this.stopping
    if (signal.aborted || !this.isRunning) return
    const begunMs = clock.monotonic()
    const { config } = this.life
    const { brokerRole, brokerId, reason, cut } = as
    events.emit(roleChanges({ from: config.brokerRole, to: brokerRole, brokerId, reason }))
    this.isRunning = false
    await this.life.stop().catch(error => events.emit(roleNotBegun({ brokerRole, error })))
    try {
      if (cut !== undefined) orderTailCut(disk, layoutOf(config), cut)
    } catch (error) {
      // It begins as it is, finds its log parted from that of its master as before, and comes here again.
      events.emit(roleNotBegun({ brokerRole, error }))
    }
    while (!signal.aborted) {
      this.life = this.lifeAs(as, config)
      try {
        await this.begin()
        this.isRunning = true
        const { epoch } = this.book
        events.emit(roleChanged({ brokerRole, brokerId, epoch, ms: Math.round(clock.monotonic() - begunMs) }))
        return
      } catch (error) {
        events.emit(roleNotBegun({ brokerRole, error }))
        await delay(clock, retryMs, signal).catch(() => {})
      }
    }
  }
}
