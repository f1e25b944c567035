import { type Clock, defineEvent, type Events, every, type Random, type Timer } from '@skua-mq/runtime'
import type { SlaveProgress } from '../ha/slave-progress.ts'
import type { MasterAddresses } from '../registration/registration.ts'
import type { Reopening } from '../role/reopening.ts'
import type { Role, RoleBook } from '../role/role-book.ts'
import { type GroupState, inSyncValue, keys } from './group-state.ts'
import { InSync } from './in-sync.ts'
import { LeaseGuard } from './lease-guard.ts'
import { Membership, type Seen } from './membership.ts'
import type { Registry } from './registry.ts'

export const elected = defineEvent<{ epoch: number; members: number }>(
  'this broker holds the lease of the master of its name',
  'warn',
)
export const registryAway = defineEvent<{ error: unknown }>('the registry of the election does not answer', 'error')
export const registryBack = defineEvent<Record<never, never>>('the registry of the election answers again', 'info')
export const notElected = defineEvent<{ reason: string }>(
  'nobody is the master, and this broker does not become it',
  'warn',
)
export const leftSet = defineEvent<{ members: number }>(
  'the machine stopped while the store was open: this broker may lack what it had reported, and is no longer one of those that have everything',
  'warn',
)
export const leaseGivenUp = defineEvent<{ ms: number }>(
  'this broker gives up the lease of the master: it does not come to begin as one',
  'error',
)

/** One life of the broker, as the election sees it. */
export interface ElectionSide {
  readonly role: Role
  readonly progress: SlaveProgress
  readonly logEnd: () => number
  readonly fallBehindMax: () => number
  /** Messages are refused with this until the answer is called. */
  readonly hold: (remark: string) => () => void
  /** Called before each message that is to be taken. */
  readonly beforeAppends: (run: (() => void) | undefined) => void
  /** The own end of the connection to the HA port of the master. */
  readonly haFrom: () => string | undefined
  /** Where the master is; of a slave. */
  readonly follow: (master: MasterAddresses) => void
  /** Calls when `haFrom`, or how fit this slave is, may say something new. */
  readonly onNews: (run: () => void) => void
  /** Before a slave becomes the master. */
  readonly ensureTopics: () => Promise<void>
  readonly reopen: (as: Reopening) => void
}

export interface ElectionParts {
  readonly clock: Clock
  readonly events: Events
  readonly random: Pick<Random, 'uuid'>
  readonly registry: Registry
  readonly book: RoleBook
  /** brokerRole and brokerId of the configuration. */
  readonly configured: Role
  /** host:port for clients, and for slaves. */
  readonly address: string
  readonly haAddress: string
  /** failoverLeaseTime and failoverMarginTime, in ms. */
  readonly leaseMs: number
  readonly marginMs: number
}

/** So many rounds in the time of a lease. */
const roundsPerLease = 3
/** While nobody is the master, or a slave has lost its connection to it. */
const urgentMs = 250
/** So long the set is looked at often after a slave has come or gone. */
const movingMs = 15_000
/** Who holds the lease and has not begun as the master after so long gives it up, where another one may take it. */
const beginMs = 10_000

/**
 * Brokers of one name agree in a registry which of them is the master. It is whoever holds the lease, and only one that has all that was
 * acknowledged may take it (`insync`): a send is acknowledged when all of that set have it, and the set changes with the consent of the
 * registry alone. So what a former master acknowledges that knows of nothing its successor has as well. Only where it waits for
 * no slave (ASYNC_MASTER) it has to go by the clock, and stops before its lease may have ended elsewhere.
 */
export class Election {
  private readonly parts: ElectionParts
  private readonly membership: Membership
  private side: ElectionSide | undefined
  /** Since then there is no life that is over with its beginning. */
  private withoutSideMs = 0
  /** Since then this slave has held the lease without having begun anew as the master. */
  private heldAsSlaveMs: number | undefined
  /** It has given up the lease: until then another one may take it first. */
  private barredUntilMs = Number.NEGATIVE_INFINITY
  private inSync: InSync | undefined
  private guard: LeaseGuard | undefined
  private leaseUntilMs = Number.NEGATIVE_INFINITY
  /** What this store had reported to its master may be missing here. */
  private mayLack = false
  /** The log here may not be the one of its epoch any more. */
  private isAnotherLog = false
  private isUrgent = true
  /** brokerRole of the master that wrote the set. */
  private groupRole: Role['brokerRole'] | undefined
  /** Slaves that answered in the round before, and when their number changed. */
  private answering = 0
  private movedMs = 0
  private isAway = false
  private told = ''
  private timer: Timer | undefined
  private round: Promise<void> | undefined
  private isAgain = false

  constructor(parts: ElectionParts) {
    this.parts = parts
    const { book, configured } = parts
    this.membership = new Membership({ ...parts, member: () => book.member, brokerId: configured.brokerId })
  }

  /** `holds the lease, 2 in sync`, for people; undefined for a slave. */
  get text(): string | undefined {
    if (this.inSync === undefined) return undefined
    const { others } = this.inSync
    const isHeld = this.parts.clock.monotonic() < this.leaseUntilMs
    return `${isHeld ? 'holds the lease' : 'lease not confirmed'}, ${Number.isFinite(others) ? others + 1 : 'unknown who is'} in sync`
  }

  /** As a slave; undefined until the registry has said so. */
  get brokerId(): number | undefined {
    return this.membership.brokerId
  }

  /**
   * What this broker begins as: a slave, but where nobody else could be the master. One that could is there at once, while this one may
   * have a long way to its end; and it has what a machine without power has lost.
   */
  async begin(role: Role, { mayLack }: { readonly mayLack: boolean }): Promise<Role> {
    const { configured, clock } = this.parts
    this.mayLack = this.isAnotherLog = mayLack
    this.withoutSideMs = clock.monotonic()
    this.timer = every(
      clock,
      () => this.periodMs,
      () => this.soon(),
    )
    const isMaster = role.brokerRole !== 'SLAVE'
    try {
      const seen = await this.renewed()
      const { group } = seen
      if ((group.master === undefined || this.membership.isOwn(group)) && !this.hasRival(group)) {
        const epoch = await this.take(seen, { isMaster })
        if (epoch !== undefined && this.decideMaster(epoch)) return { brokerRole: this.masterRole, brokerId: 0 }
      }
      await this.membership.claimId(group)
    } catch (error) {
      this.away(error)
    }
    return {
      brokerRole: 'SLAVE',
      brokerId: this.membership.brokerId ?? Math.max(1, role.brokerId, configured.brokerId),
    }
  }

  /** A life has begun. */
  attach(side: ElectionSide): void {
    const { book, clock, events } = this.parts
    const { progress, role } = side
    this.side = side
    this.heldAsSlaveMs = undefined
    this.isUrgent = true
    side.onNews(() => {
      if (this.side === side) this.soon()
    })
    if (role.brokerRole !== 'SLAVE') {
      const inSync = new InSync({ ...side, member: book.member, write: change => this.membership.write(change) })
      this.inSync = inSync
      this.guard = new LeaseGuard({
        ...{ clock, events, progress, hold: side.hold, beforeAppends: side.beforeAppends },
        waitsForOthers: role.brokerRole === 'SYNC_MASTER',
        others: () => inSync.others,
      })
      this.guard.confirmed(this.leaseUntilMs)
      progress.onFaltered(() => {
        if (this.side !== side) return
        this.guard?.look()
        this.soon()
      })
    }
    this.soon()
  }

  /** It ends. */
  async detach(side: ElectionSide): Promise<void> {
    if (this.side !== side) return
    this.side = undefined
    this.withoutSideMs = this.parts.clock.monotonic()
    this.inSync = undefined
    this.guard?.stop()
    this.guard = undefined
    await this.round
  }

  /** Gives up the lease, so that another one need not wait for its end: once the log is closed. */
  async stop(): Promise<void> {
    this.timer?.cancel()
    this.timer = undefined
    await this.round
    await this.membership.leave()
  }

  /**
   * Takes the lease though this broker may lack what was acknowledged, because a person says so. A refusal where another one holds
   * it. Throws where the registry does not answer.
   */
  async force(): Promise<{ readonly epoch: number } | { readonly refusal: string }> {
    const { group } = await this.renewed()
    const { master } = group
    if (master !== undefined && !this.membership.isOwn(group))
      return { refusal: `${master.address} holds the lease of the master: stop it before` }
    const epoch = await this.write(group, { epoch: this.nextEpoch(group), members: [this.parts.book.member] })
    if (epoch === undefined) return { refusal: 'another broker took the lease of the master meanwhile' }
    this.soon()
    return { epoch }
  }

  private get periodMs(): number {
    const ms = Math.max(100, this.membership.ttlMs / roundsPerLease)
    return this.isUrgent ? Math.min(urgentMs, ms) : ms
  }

  private get masterRole(): Role['brokerRole'] {
    const { configured, book } = this.parts
    return configured.brokerRole === 'SLAVE' ? (this.groupRole ?? book.masterRole) : configured.brokerRole
  }

  /** A round at once, or another one behind the one under way. */
  private soon(): void {
    if (this.timer === undefined) return
    if (this.round !== undefined) {
      this.isAgain = true
      return
    }
    this.isAgain = false
    this.round = this.look()
      .then(() => this.back())
      .catch(error => this.away(error))
      .finally(() => {
        this.round = undefined
        if (this.isAgain) this.soon()
      })
  }

  private async look(): Promise<void> {
    const seen = await this.renewed()
    const { side } = this
    if (this.timer === undefined) return
    if (side === undefined) return this.lookWithout(seen.group)
    const { group } = seen
    const { master } = group
    const isMaster = side.role.brokerRole !== 'SLAVE'
    if (this.membership.isOwn(group)) {
      if (!isMaster) return this.becomeMaster(group, side)
      await this.inSync?.maintain(group)
      this.guard?.look()
      this.isUrgent = this.isMoving(side)
    } else if (master === undefined || master.member === this.parts.book.member) {
      this.isUrgent = true
      const epoch = await this.take(seen, { isMaster })
      if (epoch !== undefined) this.isAgain = true
    } else {
      this.told = ''
      this.isUrgent = !isMaster && side.haFrom() === undefined
      if (isMaster) return this.becomeSlave(group, side)
      side.follow({ masterAddr: master.address, haServerAddr: master.haAddress })
      await this.ownId(group, side)
    }
  }

  /** Slaves have come or gone lately, and the set does not say so yet. One that takes no part in the election never belongs to it. */
  private isMoving({ progress }: ElectionSide): boolean {
    const now = this.parts.clock.monotonic()
    const { answering } = progress
    if (answering !== this.answering) this.movedMs = now
    this.answering = answering
    if (this.inSync?.isJoined === true) return true
    return this.inSync?.others !== answering && now - this.movedMs < movingMs
  }

  /** No life has begun yet, or none comes to begin: somebody else has to be the master. */
  private async lookWithout(group: GroupState): Promise<void> {
    const { clock } = this.parts
    const ms = clock.monotonic() - this.withoutSideMs
    if (ms < beginMs || !this.membership.isOwn(group) || !this.hasRival(group)) return
    this.withoutSideMs = clock.monotonic()
    await this.giveUp(ms)
  }

  private async giveUp(ms: number): Promise<void> {
    this.parts.events.emit(leaseGivenUp({ ms: Math.round(ms) }))
    this.leaseUntilMs = Number.NEGATIVE_INFINITY
    await this.membership.leave()
  }

  private async renewed(): Promise<Seen> {
    const { side } = this
    const { book } = this.parts
    // One that lacks something belongs to nobody's set.
    const haFrom = side === undefined || book.unfit !== undefined ? '' : (side.haFrom() ?? '')
    const seen = await this.membership.renew(haFrom)
    if (this.membership.isOwn(seen.group)) this.holds(seen)
    this.groupRole = seen.group.inSync?.role
    if (seen.group.inSync !== undefined) book.founded()
    if (this.mayLack) await this.leaveSet(seen.group)
    return seen
  }

  /** Where somebody else is left in it: of a set that lost its power as a whole, the last one knows no less than the others. */
  private async leaveSet({ inSync, master }: GroupState): Promise<void> {
    const { book, events } = this.parts
    const members = inSync?.members.filter(id => id !== book.member) ?? []
    if (inSync?.members.includes(book.member) && members.length > 0) {
      const value = inSyncValue({ ...inSync, members })
      const when = { [keys.inSync]: inSync.revision, [keys.master]: master?.revision ?? 0 }
      if (!(await this.membership.write({ when, put: { [keys.inSync]: value } }))) return
      events.emit(leftSet({ members: members.length }))
    }
    this.mayLack = false
  }

  private holds({ renewedMs }: Pick<Seen, 'renewedMs'>): void {
    this.leaseUntilMs = renewedMs + this.membership.ttlMs - this.parts.marginMs
    this.guard?.confirmed(this.leaseUntilMs)
  }

  /** Somebody else is there who has all that was acknowledged. */
  private hasRival({ inSync, members }: GroupState): boolean {
    return inSync?.members.some(id => id !== this.parts.book.member && members.has(id)) ?? false
  }

  /** Takes the lease where this broker may; the epoch that it has then. */
  private async take(seen: Seen, { isMaster }: { isMaster: boolean }): Promise<number | undefined> {
    const { book, events } = this.parts
    const { inSync } = seen.group
    const isBarred = this.parts.clock.monotonic() < this.barredUntilMs && this.hasRival(seen.group)
    const reason = isBarred ? 'it did not come to begin as one a moment ago' : this.against(seen.group, isMaster)
    if (reason !== undefined) {
      if (reason !== this.told) events.emit(notElected({ reason }))
      this.told = reason
      return undefined
    }
    // Nobody was the master in between: its log is the one of that epoch.
    const isSame = isMaster && !this.isAnotherLog && inSync?.master === book.member && inSync.epoch === book.epoch
    const epoch = isSame ? book.epoch : this.nextEpoch(seen.group)
    const taken = await this.write(seen.group, { epoch, members: inSync?.members ?? [book.member] })
    if (taken === undefined) return undefined
    this.told = ''
    this.holds(seen)
    return taken
  }

  private nextEpoch({ inSync }: GroupState): number {
    return this.parts.book.nextEpoch([inSync?.epoch ?? 0])
  }

  private async write(
    { master, inSync }: GroupState,
    { epoch, members }: { epoch: number; members: readonly string[] },
  ): Promise<number | undefined> {
    const { book, events, address, haAddress } = this.parts
    const session = this.membership.sessionName
    const isTaken = await this.membership.write({
      when: { [keys.master]: master?.revision ?? 0, [keys.inSync]: inSync?.revision ?? 0 },
      put: { [keys.inSync]: inSyncValue({ members, master: book.member, epoch, role: this.masterRole }) },
      putForSession: { [keys.master]: JSON.stringify({ member: book.member, session, epoch, address, haAddress }) },
    })
    if (!isTaken) return undefined
    events.emit(elected({ epoch, members: members.length }))
    return epoch
  }

  private against({ inSync }: GroupState, isMaster: boolean): string | undefined {
    const { book } = this.parts
    if (inSync === undefined)
      return isMaster || book.founds
        ? undefined
        : 'nobody was ever elected here: one that was the master before, or has brokerRole=SYNC_MASTER or ASYNC_MASTER, has to begin'
    if (!inSync.members.includes(book.member))
      return `it is not one of those that have all that was acknowledged (${inSync.members.length})`
    return isMaster ? undefined : book.unfit
  }

  private decideMaster(epoch: number): boolean {
    return this.parts.book.decide({ brokerRole: this.masterRole, brokerId: 0, epoch })
  }

  private async becomeMaster(group: GroupState, side: ElectionSide): Promise<void> {
    const nowMs = this.parts.clock.monotonic()
    this.heldAsSlaveMs ??= nowMs
    const ms = nowMs - this.heldAsSlaveMs
    if (ms >= beginMs && this.hasRival(group)) {
      this.heldAsSlaveMs = undefined
      this.barredUntilMs = nowMs + beginMs
      return this.giveUp(ms)
    }
    await side.ensureTopics()
    if (this.side !== side || !this.decideMaster(group.master!.epoch)) return
    side.reopen({ brokerRole: this.masterRole, brokerId: 0, reason: 'it was elected' })
  }

  /** One that began without the registry may have the id of another slave, which the name servers take for the same one then. */
  private async ownId(group: GroupState, side: ElectionSide): Promise<void> {
    const { book } = this.parts
    if (this.membership.brokerId === undefined) await this.membership.claimId(group, side.role.brokerId)
    const { brokerId } = this.membership
    if (this.side !== side || brokerId === undefined || brokerId === side.role.brokerId) return
    const as = { brokerRole: 'SLAVE', brokerId } as const
    if (!book.decide({ ...as, epoch: book.epoch })) return
    side.reopen({ ...as, reason: `another slave has brokerId ${side.role.brokerId}` })
  }

  private async becomeSlave(group: GroupState, side: ElectionSide): Promise<void> {
    const { book } = this.parts
    if (this.membership.brokerId === undefined) await this.membership.claimId(group)
    if (this.side !== side) return
    const as = { brokerRole: 'SLAVE', brokerId: this.membership.brokerId ?? 1 } as const
    // The epoch stays: by that the tail of the log here is known to count less.
    if (!book.decide({ ...as, epoch: book.epoch })) return
    side.reopen({ ...as, reason: `${group.master?.address} was elected` })
  }

  private away(error: unknown): void {
    // Where it was said came from is of use for a fault of ours alone.
    const told = error instanceof Error && error.name === 'Error' ? error.message : error
    if (!this.isAway) this.parts.events.emit(registryAway({ error: told }))
    this.isAway = true
    this.guard?.look()
  }

  private back(): void {
    if (this.isAway) this.parts.events.emit(registryBack({}))
    this.isAway = false
  }
}
