import { type Clock, defineEvent, type Events, every, type Service, type Timer } from '@skua-mq/runtime'
import { isMasterThatLives, type Peer } from './peers.ts'
import type { Reopening } from './reopening.ts'
import { outranks, type Role, type RoleBook } from './role-book.ts'

export const masterElsewhere = defineEvent<{ master: string; epoch: number; own: number }>(
  'another broker was made the master of this name: this one becomes its slave',
  'warn',
)
export const twoMasters = defineEvent<{ master: string; epoch: number }>(
  'two brokers of this name are masters of one epoch: demote one of them',
  'error',
)

/** A start as a master that found one of a later epoch. */
export class MasterElsewhere extends Error {
  readonly as: Role

  constructor(as: Role) {
    super('another broker was made the master of this name')
    this.as = as
  }
}

export interface RivalWatchParts {
  readonly clock: Clock
  readonly events: Events
  readonly book: Pick<RoleBook, 'epoch' | 'decide' | 'isBesideMaster'>
  readonly peers: () => Promise<readonly Peer[]>
  readonly registerAgain: () => void
  readonly reopen: (as: Reopening) => void
  /** Whoever begins holds the lease of the master: nobody need be asked before. */
  readonly election: { readonly brokerId: number | undefined } | undefined
}

const periodMs = 5000

const isMaster = ({ info }: Peer): boolean => info?.role !== undefined && info.role !== 'SLAVE'

/**
 * A master looks for others of its name: one that was away while a slave was promoted comes back as that one's slave, before
 * it has told anybody of itself. Where no name server answers nobody can be found: this is a help, and no fence.
 */
export class RivalWatch implements Service {
  readonly name = 'rival watch'
  private readonly parts: RivalWatchParts
  private timer: Timer | undefined
  private looking: Promise<void> | undefined
  private told = ''

  constructor(parts: RivalWatchParts) {
    this.parts = parts
  }

  async start(): Promise<void> {
    const as = this.parts.election === undefined ? await this.look() : undefined
    if (as !== undefined) throw new MasterElsewhere(as)
    this.timer = every(this.parts.clock, periodMs, () => {
      this.looking ??= this.round().finally(() => {
        this.looking = undefined
      })
    })
  }

  async stop(): Promise<void> {
    this.timer?.cancel()
    this.timer = undefined
    await this.looking
  }

  private async round(): Promise<void> {
    const as = await this.look()
    if (as !== undefined && this.timer !== undefined)
      this.parts.reopen({ ...as, reason: 'another broker was made the master of this name' })
  }

  /** The role that this broker has to take; undefined where it is the master. */
  private async look(): Promise<Role | undefined> {
    const { book, events, registerAgain } = this.parts
    const peers = await this.parts.peers()
    book.isBesideMaster = peers.some(isMasterThatLives)
    for (const peer of peers) {
      if (!isMaster(peer)) continue
      const { address: master, info } = peer
      const { epoch } = info!
      if (outranks(epoch, book.epoch)) return this.stepDown(peers, { master, epoch })
      // It holds the place of the master at the name server.
      if (outranks(book.epoch, epoch)) registerAgain()
      else if (this.told !== master) events.emit(twoMasters({ master, epoch }))
      this.told = master
    }
    return undefined
  }

  private stepDown(peers: readonly Peer[], { master, epoch }: { master: string; epoch: number }): Role {
    const { book, events, election } = this.parts
    events.emit(masterElsewhere({ master, epoch, own: book.epoch }))
    const taken = new Set(peers.map(({ brokerId }) => brokerId))
    let brokerId = 1
    while (taken.has(brokerId)) brokerId++
    const as = { brokerRole: 'SLAVE', brokerId: election?.brokerId ?? brokerId } as const
    // The epoch stays: by that the tail of the log here is known to count less.
    book.decide({ ...as, epoch: book.epoch })
    return as
  }
}
