import { type Clock, defineEvent, type Events, every, type Random, type Timer } from '@skua-mq/runtime'
import type { SlaveProgress } from '../ha/slave-progress.ts'
import type { Reopening } from '../role/reopening.ts'
import type { Role, RoleBook } from '../role/role-book.ts'
import { type GroupState, groupState, keys } from './group-state.ts'
import { InSync } from './in-sync.ts'
import type { Registry, RegistrySession } from './registry.ts'

export const elected = defineEvent<{ epoch: number; revision: number; members: number }>(
  'this broker holds the lease of the master of its name',
  'warn',
)
export const leaseLost = defineEvent<{ reason: string }>(
  'this broker may hold the lease of the master no longer: it takes no messages until it knows',
  'error',
)
export const leaseKept = defineEvent<Record<never, never>>('this broker holds the lease of the master after all', 'warn')
export const registryAway = defineEvent<{ error: unknown }>('the registry of the election does not answer', 'error')
export const registryBack = defineEvent<Record<never, never>>('the registry of the election answers again', 'info')
export const notInSync = defineEvent<{ reason: string }>('nobody is the master, and this broker does not become it', 'warn')

/** One life of the broker, as the election sees it. */
export interface ElectionSide {
  readonly role: Role
  readonly progress: SlaveProgress
  readonly logEnd: () => number
  readonly fallBehindMax: () => number
  /** Messages are refused with this until the answer is called. */
  readonly hold: (remark: string) => () => void
  /** The own end of the connection to the HA port of the master. */
  readonly haFrom: () => string | undefined
  /** Why a slave is not fit to be the master, whatever the set says. */
  readonly lacks: () => string | undefined
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
  readonly address: string
  /** failoverLeaseTime and failoverMarginTime, in ms. */
  readonly leaseMs: number
  readonly marginMs: number
}

/** So many rounds in the time of a lease. */
const roundsPerLease = 3

/**
 * Brokers of one name agree in a registry which of them is the master. It is whoever holds the lease, and only one that has all that was
 * acknowledged may take it (`insync`): a send is acknowledged when all of that set have it, and the set changes with the consent of the
 * registry alone. So what a former master acknowledges that knows of nothing its successor has as well. Only where it waits for
 * no slave (ASYNC_MASTER) it has to go by the clock, and stops before its lease may have ended elsewhere.
 */
export class Election {
  private readonly parts: ElectionParts
  private session: RegistrySession | undefined
  private sessionId = ''
  /** By the monotonic clock: until then nobody else can hold the lease. */
  private validUntilMs = Number.NEGATIVE_INFINITY
  private side: ElectionSide | undefined
  private inSync: InSync | undefined
  private brokerId: number | undefined
  private published = ''
  private othersInSync = 0
  private holdsLease = false
  private release: (() => void) | undefined
  private isAway = false
  private told = ''
  private timer: Timer | undefined
  private expiry: Timer | undefined
  private round: Promise<void> | undefined
  private isAgain = false

  constructor(parts: ElectionParts) {
    this.parts = parts
  }

  /** `2 in sync`, for people; undefined for a slave. */
  get text(): string | undefined {
    if (this.side === undefined || this.side.role.brokerRole === 'SLAVE') return undefined
    return `${this.holdsLease ? 'holds the lease' : 'lease not confirmed'}, in sync: ${this.othersInSync + 1}`
  }

  /** What this broker begins as: the master where it can have the lease now, else a slave. */
  async begin(role: Role): Promise<Role> {
    const { clock, configured } = this.parts
    const asSlave = { brokerRole: 'SLAVE', brokerId: Math.max(1, role.brokerId, configured.brokerId) } as const
    this.timer = every(clock, () => Math.max(100, this.leaseMs / roundsPerLease), () => this.soon())
    let group: GroupState | undefined
    try {
      group = await this.renewed()
      if (group.master === undefined || this.isOwn(group)) {
        const epoch = await this.take(group, { isMaster: role.brokerRole !== 'SLAVE' })
        if (epoch !== undefined && this.decideMaster(epoch)) return { brokerRole: this.masterRole, brokerId: 0 }
      }
      await this.claimId(group)
    } catch (error) {
      this.away(error)
    }
    return { ...asSlave, brokerId: this.brokerId ?? asSlave.brokerId }
  }

  /** A life has begun. */
  attach(side: ElectionSide): void {
    const { book } = this.parts
    this.side = side
    this.published = ''
    this.inSync = undefined
    if (side.role.brokerRole === 'SLAVE') return
    this.inSync = new InSync({ ...side, member: book.member })
    side.progress.onFaltered(() => this.soon())
    this.soon()
  }

  /** It ends. */
  async detach(side: ElectionSide): Promise<void> {
    if (this.side !== side) return
    this.side = undefined
    this.inSync = undefined
    this.release = undefined
    this.expiry?.cancel()
    await this.round
  }

  /** Gives up the lease, so that another one need not wait for its end: once the log is closed. */
  async stop(): Promise<void> {
    this.timer?.cancel()
    this.timer = undefined
    this.expiry?.cancel()
    await this.round
    await this.session?.close().catch(() => {})
    this.session = undefined
  }

  private get leaseMs(): number {
    return this.session?.ttlMs ?? this.parts.leaseMs
  }

  private get masterRole(): Role['brokerRole'] {
    const { configured, book } = this.parts
    return configured.brokerRole === 'SLAVE' ? book.masterRole : configured.brokerRole
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
    const group = await this.renewed()
    const { side, inSync, session } = this
    if (side === undefined || this.timer === undefined || session === undefined) return
    const isMaster = side.role.brokerRole !== 'SLAVE'
    this.holdsLease = this.isOwn(group)
    if (this.holdsLease) {
      if (!isMaster) return this.becomeMaster(group.master!.epoch, side)
      this.confirmed()
      this.othersInSync = (group.inSync?.members.length ?? 1) - 1
      await inSync?.maintain(group, session)
    } else if (group.master !== undefined && group.master.member !== this.parts.book.member) {
      this.told = ''
      if (isMaster) await this.becomeSlave(group, side)
    } else {
      const epoch = await this.take(group, { isMaster })
      if (epoch !== undefined && this.side === side) this.soon()
    }
  }

  /** The session lasts, this broker stands there, and this is what stands there. */
  private async renewed(): Promise<GroupState> {
    const { clock, registry, random, leaseMs } = this.parts
    let sentMs = clock.monotonic()
    if (this.session === undefined || !(await this.session.renew())) {
      sentMs = clock.monotonic()
      this.session = await registry.open(leaseMs)
      this.sessionId = random.uuid()
      this.published = ''
    }
    this.valid(sentMs)
    const group = groupState(await registry.read())
    await this.publish(group)
    return group
  }

  private async publish(group: GroupState): Promise<void> {
    const { book, address } = this.parts
    // The session is a new one.
    if (this.brokerId !== undefined && this.published === '') await this.claimId(group)
    const value = JSON.stringify({ address, haFrom: this.side?.haFrom() ?? '' })
    if (value === this.published || this.session === undefined) return
    const isWritten = await this.session.write({ when: {}, putForSession: { [keys.member(book.member)]: value } })
    if (isWritten) this.published = value
  }

  /** An id that no other slave of this name has. */
  private async claimId({ ids }: GroupState): Promise<void> {
    const { book, configured } = this.parts
    const first = this.brokerId ?? Math.max(1, configured.brokerId)
    for (let tried = 0; this.session !== undefined; tried++) {
      const id = tried === 0 ? first : tried
      const found = ids.get(id)
      if (found !== undefined && found.member !== book.member) continue
      const key = keys.brokerId(id)
      const when = { [key]: found?.revision ?? 0 }
      if (await this.session.write({ when, putForSession: { [key]: book.member } })) {
        this.brokerId = id
        return
      }
    }
  }

  private isOwn({ master }: GroupState): boolean {
    return master !== undefined && master.member === this.parts.book.member && master.session === this.sessionId
  }

  /** Takes the lease where this broker may; the epoch that it has then. */
  private async take(group: GroupState, { isMaster }: { isMaster: boolean }): Promise<number | undefined> {
    const { book, events, address } = this.parts
    const { master, inSync } = group
    const reason = this.against(group, isMaster)
    if (reason !== undefined || this.session === undefined) {
      if (reason !== this.told) events.emit(notInSync({ reason: reason ?? '' }))
      this.told = reason ?? ''
      return undefined
    }
    // Nobody was the master in between: its log is the one of that epoch.
    const isSame = isMaster && inSync !== undefined && inSync.master === book.member && inSync.epoch === book.epoch
    const epoch = isSame ? book.epoch : book.nextEpoch([inSync?.epoch ?? 0])
    const members = inSync?.members ?? [book.member]
    const isTaken = await this.session.write({
      when: { [keys.master]: master?.revision ?? 0, [keys.inSync]: inSync?.revision ?? 0 },
      put: { [keys.inSync]: JSON.stringify({ members, master: book.member, epoch }) },
      putForSession: {
        [keys.master]: JSON.stringify({ member: book.member, session: this.sessionId, epoch, address }),
      },
    })
    if (!isTaken) return undefined
    this.told = ''
    events.emit(elected({ epoch, revision: inSync?.revision ?? 0, members: members.length }))
    return epoch
  }

  private against({ inSync }: GroupState, isMaster: boolean): string | undefined {
    const { book } = this.parts
    if (inSync === undefined)
      return isMaster ? undefined : 'nobody was ever the master here: one whose brokerRole says so has to begin'
    if (!inSync.members.includes(book.member))
      return `it is not one of those that have all that was acknowledged (${inSync.members.length})`
    const lacks = this.side?.lacks() ?? (book.lacksTables || book.copying !== undefined ? 'it is still copying' : undefined)
    return isMaster ? undefined : lacks
  }

  private decideMaster(epoch: number): boolean {
    return this.parts.book.decide({ brokerRole: this.masterRole, brokerId: 0, epoch })
  }

  private async becomeMaster(epoch: number, side: ElectionSide): Promise<void> {
    await side.ensureTopics()
    if (this.side !== side || !this.decideMaster(epoch)) return
    side.reopen({ brokerRole: this.masterRole, brokerId: 0, reason: 'it was elected' })
  }

  private async becomeSlave(group: GroupState, side: ElectionSide): Promise<void> {
    const { book } = this.parts
    await this.claimId(group)
    if (this.side !== side) return
    const as = { brokerRole: 'SLAVE', brokerId: this.brokerId ?? 1 } as const
    // The epoch stays: by that the tail of the log here is known to count less.
    if (!book.decide({ ...as, epoch: book.epoch })) return
    side.reopen({ ...as, reason: `${group.master?.address} was elected` })
  }

  private valid(sentMs: number): void {
    const { clock, marginMs } = this.parts
    this.validUntilMs = sentMs + this.leaseMs - marginMs
    this.expiry?.cancel()
    this.expiry = clock.after(Math.max(1, this.validUntilMs - clock.monotonic()), () => this.expired())
  }

  /** Another one may hold the lease from a moment on that is near. */
  private expired(): void {
    const { side, parts } = this
    if (side === undefined || side.role.brokerRole !== 'ASYNC_MASTER' || this.othersInSync === 0) return
    const reason = `the lease was not renewed for ${this.leaseMs - parts.marginMs} ms`
    if (this.release === undefined) parts.events.emit(leaseLost({ reason }))
    this.release ??= side.hold(`${reason}, and another broker may be the master (failoverLeaseTime)`)
  }

  private confirmed(): void {
    if (this.release === undefined) return
    this.release()
    this.release = undefined
    this.parts.events.emit(leaseKept({}))
  }

  private away(error: unknown): void {
    if (!this.isAway) this.parts.events.emit(registryAway({ error }))
    this.isAway = true
  }

  private back(): void {
    if (this.isAway) this.parts.events.emit(registryBack({}))
    this.isAway = false
  }
}
