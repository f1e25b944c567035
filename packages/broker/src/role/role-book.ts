import { type RoleRecord, roleFile } from '@skua-mq/protocol'
import { type Clock, type Disk, defineEvent, type Events, Failure } from '@skua-mq/runtime'
import type { BrokerConfig } from '../config/options.ts'
import type { Copying, CopyNote } from '../ha/copy-progress.ts'
import type { BrokerInfo } from '../ha/master-info.ts'
import { TableFile } from '../persist/table-file.ts'

export const roleKept = defineEvent<{ brokerRole: string; brokerId: number; configuredRole: string; epoch: number }>(
  'this broker keeps the role that it was given while it ran; change brokerRole or brokerId of its configuration to undo that',
  'info',
)

/** Who a broker is among those of its name. */
export interface Role {
  readonly brokerRole: BrokerConfig['brokerRole']
  readonly brokerId: number
}

export const roleOf = ({ brokerRole, brokerId }: Pick<BrokerConfig, 'brokerRole' | 'brokerId'>): Role => ({
  brokerRole,
  brokerId,
})

const isMaster = (brokerRole: string): boolean => brokerRole !== 'SLAVE'

/**
 * Whether a master of this epoch counts for more than a log of the other one. The first epoch counts for nothing against a
 * store that has none, be it RocketMQ's or of before there were epochs: nobody was made the master of its name.
 */
export const outranks = (epoch: number, own: number): boolean => epoch > Math.max(firstEpoch, own)

const firstEpoch = 1

/**
 * The role of this broker, the epoch in which it has it, and what it lacks to be a master: config/skuaRole.json. A slave that
 * becomes a master, however that was done, begins an epoch, and a slave has that of its master. So of two logs that part, the
 * one of the later epoch counts. An epoch is the time at which it began: one who knows nothing of the last one begins a later
 * one all the same. The first epoch of a store is 1, so that a master whose store was emptied is believed by nobody.
 */
export class RoleBook implements CopyNote {
  private readonly file: TableFile<RoleRecord>
  private readonly events: Events
  private readonly configured: Role
  private readonly clock: Pick<Clock, 'now'>
  private record: RoleRecord
  /**
   * Another master of the name lives. One whose configuration makes it a master beside that begins no epoch: which one
   * counts nobody has said, and the other one's log must not be cut for it.
   */
  isBesideMaster = false

  constructor(parts: {
    readonly disk: Disk
    readonly clock: Pick<Clock, 'now'>
    readonly events: Events
    readonly root: string
    readonly configured: Role
  }) {
    const { disk, events, root, configured } = parts
    this.clock = parts.clock
    this.file = new TableFile({ disk, events, codec: roleFile, path: `${root}/config/skuaRole.json` })
    this.events = events
    this.configured = configured
    this.record = {
      ...{
        epoch: 0,
        brokerRole: '',
        brokerId: -1,
        masterRole: '',
        lacks: '',
        copying: undefined,
        member: '',
        founds: false,
      },
      configuredRole: configured.brokerRole,
      configuredId: configured.brokerId,
    }
  }

  /** Reads the file, and says which role this broker has: what it was given while it ran, until the configuration says otherwise. */
  load(): Role {
    const { configured, events } = this
    const found = this.file.load()
    if (found === undefined) return configured
    const isSame = found.configuredRole === configured.brokerRole && found.configuredId === configured.brokerId
    this.record = { ...found, configuredRole: configured.brokerRole, configuredId: configured.brokerId }
    const { brokerId, epoch } = found
    const brokerRole = found.brokerRole as Role['brokerRole']
    if (!isSame || (brokerRole === configured.brokerRole && brokerId === configured.brokerId)) return configured
    events.emit(roleKept({ brokerRole, brokerId, configuredRole: configured.brokerRole, epoch }))
    return { brokerRole, brokerId }
  }

  /** Who this store is among those of its name; lasts as long as the store. */
  get member(): string {
    return this.record.member
  }

  /** Before the store takes part in an election. Throws where it could not be written down. */
  named(uuid: () => string, { brokerRole }: Role): void {
    if (this.record.member !== '') return
    if (!this.write({ member: uuid(), founds: isMaster(brokerRole) }))
      throw new Failure('EMEMBER', 'config/skuaRole.json could not be written')
  }

  /** It was the master before there was an election, and has not heard that anybody was elected since. */
  get founds(): boolean {
    return this.record.founds
  }

  /** Somebody was elected once. */
  founded(): void {
    if (this.founds) this.write({ founds: false })
  }

  get epoch(): number {
    return this.record.epoch
  }

  /** brokerRole of the master that was followed last. */
  get masterRole(): BrokerConfig['brokerRole'] {
    return this.record.masterRole === 'SYNC_MASTER' ? 'SYNC_MASTER' : 'ASYNC_MASTER'
  }

  get copying(): Copying | undefined {
    return this.record.copying
  }

  set copying(copying: Copying | undefined) {
    this.write({ copying, ...(copying === undefined ? {} : { lacks: 'tables' }) })
  }

  /** It has not taken what its master says of groups, delays and timers since its log began anew, or was cut. */
  get lacksTables(): boolean {
    return this.record.lacks !== ''
  }

  /** Why a slave is not fit to be the master, however far its log goes; undefined where it is. */
  get unfit(): string | undefined {
    if (this.copying !== undefined) return 'it is still copying the log of its master'
    return this.lacksTables ? 'it has not taken the groups and timers of its master yet' : undefined
  }

  tablesTaken(): void {
    if (this.lacksTables) this.write({ lacks: '' })
  }

  /** Of a broker that becomes the master now, where those epochs are known. */
  nextEpoch(known: readonly number[] = []): number {
    return Math.max(this.clock.now(), ...[this.epoch, ...known].map(epoch => epoch + 1))
  }

  /** The broker has begun in this role; the operator may have given it by the configuration. */
  begun({ brokerRole, brokerId }: Role): void {
    const { epoch, brokerRole: before } = this.record
    if (!isMaster(brokerRole)) this.write({ brokerRole, brokerId })
    else {
      const isNew = before !== '' && !isMaster(before) && !this.isBesideMaster
      const next = isNew ? this.nextEpoch() : Math.max(firstEpoch, epoch)
      this.write({ brokerRole, brokerId, epoch: next, masterRole: brokerRole, lacks: '', copying: undefined })
    }
  }

  /** From the next start on. False where it could not be written down: then nothing may come of it, by a later write neither. */
  decide(role: Role & { readonly epoch: number; readonly isCut?: boolean }): boolean {
    const { brokerRole, brokerId, epoch, isCut } = role
    const before = this.record
    const isDone = this.write({ brokerRole, brokerId, epoch, ...(isCut ? { lacks: 'tables' } : {}) })
    if (!isDone) this.record = before
    return isDone
  }

  /** The log here is that of this master, as far as it goes. */
  follows({ epoch, role }: BrokerInfo): void {
    const { record } = this
    const masterRole = role === undefined || role === 'SLAVE' ? record.masterRole : role
    if (epoch > record.epoch || masterRole !== record.masterRole)
      this.write({ epoch: Math.max(epoch, record.epoch), masterRole })
  }

  private write(changes: Partial<RoleRecord>): boolean {
    this.record = { ...this.record, ...changes }
    return this.file.saveAtStop(this.record)
  }
}
