import { type demoteBroker, type HeaderOf, type promoteBroker, ResponseCode } from '@skua-mq/protocol'
import { refuse } from '@skua-mq/remoting'
import { type Clock, delay } from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import type { BrokerConfig } from '../config/options.ts'
import type { Election } from '../election/election.ts'
import type { Following } from '../ha/feature.ts'
import type { SlaveProgress } from '../ha/slave-progress.ts'
import { isMasterThatLives, type Peer } from './peers.ts'
import type { Reopening } from './reopening.ts'
import type { RoleBook } from './role-book.ts'

export interface RoleChangesParts {
  readonly clock: Clock
  readonly config: Pick<BrokerConfig, 'brokerRole' | 'brokerId'>
  readonly store: Pick<MessageStore, 'maxPhysicalOffset' | 'holdAppends'>
  readonly progress: Pick<SlaveProgress, 'all'>
  readonly book: RoleBook
  readonly reopen: (as: Reopening) => void
  /** It is about to begin anew already: what is decided now would come to nothing. */
  readonly isReopening: () => boolean
  /** Undefined where no name server answers. */
  readonly peers: () => Promise<readonly Peer[] | undefined>
  /** Where brokers choose their master themselves (failoverEndpoints). */
  readonly election: Pick<Election, 'force'> | undefined
  /** Of a slave. */
  readonly following: Following | undefined
}

interface Done {
  readonly logEnd: number
  readonly epoch: number
}

type Outcome = Done | ReturnType<typeof refuse>

const underWay = 'a change of the role is under way already'
const chosen =
  'the brokers of this name choose their master themselves (failoverEndpoints): stop the master, and a slave that has everything follows at once'
const lookMs = 10
/** What has been taken when a hold begins is in the log by then. */
const settleMs = 20

/** A master becomes a slave and a slave a master, where nothing is lost by it or somebody insists. */
export class RoleChanges {
  private readonly parts: RoleChangesParts
  private isChanging = false

  constructor(parts: RoleChangesParts) {
    this.parts = parts
  }

  promote(header: HeaderOf<typeof promoteBroker>): Promise<Outcome> {
    const { election } = this.parts
    // Whoever has the lease begins as the master with the next look at it, or later: nothing is under way until then.
    if (election !== undefined) return this.takeLease(header, election)
    return this.once(() => this.becomeMaster(header))
  }

  demote(header: HeaderOf<typeof demoteBroker>): Promise<Outcome> {
    const { election } = this.parts
    return election === undefined ? this.once(() => this.becomeSlave(header)) : Promise.resolve(no(chosen))
  }

  private async once(change: () => Promise<Outcome>): Promise<Outcome> {
    if (this.isChanging || this.parts.isReopening()) return no(underWay)
    this.isChanging = true
    let outcome: Outcome | undefined
    try {
      outcome = await change()
      return outcome
    } finally {
      // A life ends with its change.
      if (outcome === undefined || !('epoch' in outcome)) this.isChanging = false
    }
  }

  private async becomeMaster(header: HeaderOf<typeof promoteBroker>): Promise<Outcome> {
    const { config, store, book, reopen, following } = this.parts
    if (following === undefined)
      return no(`this broker is the master already (${config.brokerRole}, epoch ${book.epoch})`)
    const wanted = header.brokerRole ?? book.masterRole
    if (wanted !== 'ASYNC_MASTER' && wanted !== 'SYNC_MASTER')
      return no(`brokerRole=${wanted}: a master is ASYNC_MASTER or SYNC_MASTER`)
    if (header.takeFrom !== undefined && header.takeFrom !== '') {
      try {
        await following.takeFrom(header.takeFrom)
      } catch (error) {
        if (!header.force)
          return no(`groups and timers of ${header.takeFrom} were not taken: ${(error as Error).message}`)
      }
    }
    const peers = await this.parts.peers()
    const logEnd = store.maxPhysicalOffset
    const reasons = this.againstPromotion(peers, { atLeast: header.atLeast ?? 0, logEnd })
    if (reasons.length > 0 && !header.force) return no(`${reasons.join('; ')}. With force it is promoted all the same`)
    await following.ensureTopics()
    if (this.parts.isReopening()) return no(underWay)
    const epoch = book.nextEpoch((peers ?? []).map(({ info }) => info?.epoch ?? 0))
    if (!book.decide({ brokerRole: wanted, brokerId: 0, epoch })) return no('the role could not be written down')
    reopen({ brokerRole: wanted, brokerId: 0, reason: `it was promoted${reasons.length > 0 ? ' by force' : ''}` })
    return { logEnd, epoch }
  }

  /** Where nobody is left who has all that was acknowledged, and a person knows that it will not come back. */
  private async takeLease(
    { force }: HeaderOf<typeof promoteBroker>,
    election: Pick<Election, 'force'>,
  ): Promise<Outcome> {
    const { config, store, book, following, isReopening } = this.parts
    if (isReopening()) return no(underWay)
    if (following === undefined)
      return no(`this broker is the master already (${config.brokerRole}, epoch ${book.epoch})`)
    if (!force)
      return no(`${chosen}. With force this one takes the lease, where nobody holds it, and what it lacks is lost`)
    const logEnd = store.maxPhysicalOffset
    try {
      const taken = await election.force()
      return 'refusal' in taken ? no(taken.refusal) : { logEnd, epoch: taken.epoch }
    } catch (error) {
      return no(`the registry (failoverEndpoints) does not answer: ${(error as Error).message}`)
    }
  }

  private againstPromotion(
    peers: readonly Peer[] | undefined,
    { atLeast, logEnd }: { atLeast: number; logEnd: number },
  ): string[] {
    const { book, following } = this.parts
    const reasons: string[] = []
    const copying = following?.copying()
    if (book.unfit !== undefined) reasons.push(copying === undefined ? book.unfit : `${book.unfit} (${copying} bytes)`)
    // What a SYNC_MASTER has acknowledged a slave has: the one with most of those that are left has it.
    const heard = book.masterRole === 'SYNC_MASTER' ? 0 : (following?.masterEnd() ?? 0)
    const known = Math.max(atLeast, heard)
    if (known > logEnd) reasons.push(`its log ends at ${logEnd}, that of the master at ${known} or later`)
    // Name servers forget a master that is cut off from them, and it may go on serving clients.
    const living = following?.living() ?? peers?.find(({ info }) => info?.follows !== undefined)?.info?.follows
    if (living !== undefined && atLeast === 0) reasons.push(`the master at ${living} lives, a slave follows it`)
    if (peers === undefined) reasons.push('no name server answers, who else has this name is not known')
    for (const peer of peers ?? []) {
      const { address, brokerId, info } = peer
      if (info === undefined) {
        // A master that does not answer is what a promotion is for; where one has left in order its log is all there is.
        if (brokerId !== 0 && atLeast === 0) reasons.push(`the slave ${address} does not answer, and may have more`)
      } else if (isMasterThatLives(peer))
        reasons.push(`the master ${address} lives, and its log ends at ${info.maxOffset}: demote it before`)
      else if (info.maxOffset > logEnd) {
        // One that has not heard of an epoch may have followed its master all the same.
        const advice =
          info.epoch >= book.epoch ? 'promote that one' : `it tells epoch ${info.epoch}, here it is ${book.epoch}`
        reasons.push(`the log of ${address} ends at ${info.maxOffset}, the one here at ${logEnd}: ${advice}`)
      }
    }
    return reasons
  }

  private async becomeSlave({ brokerId, waitMs, force }: HeaderOf<typeof demoteBroker>): Promise<Outcome> {
    const { config, store, book, reopen, following } = this.parts
    if (following !== undefined) return no(`this broker is a slave already (brokerId ${config.brokerId})`)
    if (brokerId < 1) return no(`brokerId=${brokerId} is that of a master, a slave has one above 0`)
    const release = store.holdAppends('this broker is becoming a slave (skua broker demote)')
    let isDone = false
    try {
      const missing = await this.missingAtSlaves(waitMs)
      if (missing !== undefined && !force) return no(`${missing}. With force it is demoted all the same`)
      const { epoch } = book
      if (this.parts.isReopening()) return no(underWay)
      if (!book.decide({ brokerRole: 'SLAVE', brokerId, epoch })) return no('the role could not be written down')
      isDone = true
      reopen({ brokerRole: 'SLAVE', brokerId, reason: `it was demoted${missing === undefined ? '' : ' by force'}` })
      return { logEnd: store.maxPhysicalOffset, epoch }
    } finally {
      if (!isDone) release()
    }
  }

  /** What no slave has of the log, once nothing comes to it any more. */
  private async missingAtSlaves(waitMs: number): Promise<string | undefined> {
    const { clock, store, progress } = this.parts
    await delay(clock, settleMs)
    const end = store.maxPhysicalOffset
    const until = clock.monotonic() + waitMs
    const best = () => Math.max(-1, ...[...progress.all()].map(({ position }) => position))
    while (best() < end && clock.monotonic() < until) await delay(clock, lookMs)
    const has = best()
    if (has >= end) return undefined
    if (has < 0) return `no slave is connected, and the log here ends at ${end}`
    return `of the slaves the first one has the log until ${has}, and it ends at ${end}`
  }
}

const no = (remark: string) => refuse(ResponseCode.systemError, remark)
