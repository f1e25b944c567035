import { type Dialect, dialectOf, type SubscriptionGroupConfig, type SubscriptionGroupTable } from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events, Failure } from '@skua-mq/runtime'
import { OpenChanges } from '../persist/open-changes.ts'
import { SaveSoon } from '../persist/save-soon.ts'
import { type TableFile, TableVersion } from '../persist/table-file.ts'
import { illegalGroupName } from '../topic/names.ts'

export const groupCreated = defineEvent<{ group: string; why: string }>('consumer group created', 'info')
export const groupDeleted = defineEvent<{ group: string }>('consumer group deleted', 'info')

/** Groups that exist from the start (store.md 5.4). */
const systemGroups = [
  'TOOLS_CONSUMER',
  'FILTERSRV_CONSUMER',
  'SELF_TEST_C_GROUP',
  'CID_ONS-HTTP-PROXY',
  'CID_ONSAPI_PULL',
  'CID_ONSAPI_PERMISSION',
  'CID_ONSAPI_OWNER',
]

/** Groups of the system's own clients may be created whatever the configuration says. */
const systemGroupPrefix = 'CID_RMQ_SYS_'

/** Members and defaults of remoting.md 17. */
export function groupConfig(groupName: string): SubscriptionGroupConfig {
  return {
    groupName,
    consumeEnable: true,
    consumeFromMinEnable: true,
    consumeBroadcastEnable: true,
    retryQueueNums: 1,
    retryMaxTimes: 16,
    brokerId: 0,
    whichBrokerWhenConsumeSlowly: 1,
    notifyConsumerIdsChangedEnable: true,
  }
}

/** What 5.x adds, with its defaults. */
const membersOf5 = () => ({
  attributes: new Map<string, string>(),
  consumeMessageOrderly: false,
  consumeTimeoutMinute: 15,
  groupRetryPolicy: { type: 'CUSTOMIZED' },
  groupSysFlag: 0,
})

export interface GroupTableParts {
  readonly clock: Pick<Clock, 'now' | 'after' | 'monotonic'>
  readonly events: Events
  readonly file: TableFile<SubscriptionGroupTable>
  /** autoCreateSubscriptionGroup, which may change at run time. */
  readonly autoCreate: () => boolean
  /** maxAutoCreatedGroups */
  readonly maxAutoCreated: () => number
  /** Default: 4.9. */
  readonly dialect?: Dialect
}

/** What a broker knows of consumer groups, kept in config/subscriptionGroup.json, which is written after each change; groups that are
 * first seen in a heartbeat or a pull are written together, soon after. */
export class GroupTable {
  readonly version: TableVersion
  private readonly dialect: Dialect
  private readonly groups = new Map<string, SubscriptionGroupConfig>()
  /** 5.x: forbidden topics by group; not looked at here, and kept for whoever wrote them. */
  private forbiddenTable: SubscriptionGroupTable['forbiddenTable']
  private readonly parts: GroupTableParts
  private readonly soon: SaveSoon
  private readonly changes = new OpenChanges<SubscriptionGroupConfig>()

  constructor(parts: GroupTableParts) {
    this.parts = parts
    this.dialect = parts.dialect ?? dialectOf()
    this.version = new TableVersion(this.dialect)
    this.soon = new SaveSoon(parts.clock, () => parts.file.saveLater(this.table()))
  }

  load(): void {
    const saved = this.parts.file.load()
    for (const [name, config] of saved?.subscriptionGroupTable ?? [])
      this.groups.set(name, this.dressed({ ...config, groupName: name }))
    if (saved !== undefined) this.version.read(saved.dataVersion)
    this.forbiddenTable = saved?.forbiddenTable ?? (this.dialect.configHasAttributes ? new Map() : undefined)
    const before = this.groups.size
    for (const name of systemGroups) if (!this.groups.has(name)) this.groups.set(name, this.dressed(groupConfig(name)))
    if (this.groups.size !== before) this.version.next(this.parts.clock.now())
  }

  find(group: string): SubscriptionGroupConfig | undefined {
    return this.groups.get(group)
  }

  /** As `find`, and creates the group where autoCreateSubscriptionGroup allows it. */
  findOrCreate(group: string): SubscriptionGroupConfig | undefined {
    const known = this.groups.get(group)
    if (known !== undefined) return known
    if (!(this.parts.autoCreate() || group.startsWith(systemGroupPrefix))) return undefined
    if (illegalGroupName(group) !== undefined || this.groups.size >= this.parts.maxAutoCreated()) return undefined
    const config = this.dressed(groupConfig(group))
    this.groups.set(group, config)
    this.version.next(this.parts.clock.now())
    this.parts.events.emit(groupCreated({ group, why: 'first seen' }))
    this.soon.owe()
    return config
  }

  /** Resolves when the groups that are there now are on disk, or could not be brought there, which is an event. */
  settled(): Promise<void> {
    return this.soon.settled()
  }

  /** On disk when it resolves; rejects with ETABLE when it could not be brought there, and is not taken then. */
  async put(config: SubscriptionGroupConfig, why = 'by an administrator'): Promise<void> {
    const known = this.groups.get(config.groupName)
    await this.change(config.groupName, this.dressed(config))
    if (known === undefined) this.parts.events.emit(groupCreated({ group: config.groupName, why }))
  }

  /** A slave takes its master's table. */
  replace(table: SubscriptionGroupTable): void {
    if (this.version.equals(table.dataVersion)) return
    this.changes.forget()
    this.groups.clear()
    for (const [name, config] of table.subscriptionGroupTable)
      this.groups.set(name, this.dressed({ ...config, groupName: name }))
    this.version.read(table.dataVersion)
    this.soon.owe()
  }

  /** False when there was none. As `put`. */
  async delete(group: string): Promise<boolean> {
    if (!this.groups.has(group)) return false
    await this.change(group, undefined)
    this.parts.events.emit(groupDeleted({ group }))
    return true
  }

  all(): ReadonlyMap<string, SubscriptionGroupConfig> {
    return this.groups
  }

  /** 201, and the file. */
  table(): SubscriptionGroupTable {
    return {
      dataVersion: this.version.toJSON(),
      subscriptionGroupTable: this.groups,
      ...(this.forbiddenTable === undefined ? {} : { forbiddenTable: this.forbiddenTable }),
    }
  }

  /** With the members that the dialect wants in every configuration. */
  private dressed(config: SubscriptionGroupConfig): SubscriptionGroupConfig {
    return this.dialect.configHasAttributes ? { ...membersOf5(), ...config } : config
  }

  stop(): void {
    this.soon.stop()
    this.save()
  }

  /** At once; an error is an event. */
  save(): void {
    this.parts.file.saveAtStop(this.table())
  }

  /** What cannot be saved is not taken. Many changes share one save. */
  private async change(group: string, config: SubscriptionGroupConfig | undefined): Promise<void> {
    const change = this.changes.begin(group, { before: this.groups.get(group), value: config })
    this.set(group, config)
    this.version.next(this.parts.clock.now())
    if (await this.soon.ask()) {
      this.changes.saved(change)
      return
    }
    this.set(group, this.changes.refused(change, this.groups.get(group)))
    this.version.next(this.parts.clock.now())
    // The last of a save's steps may have failed, with the file in its place.
    this.soon.owe()
    throw new Failure('ETABLE', 'subscriptionGroup.json could not be written; the log of the broker says why')
  }

  private set(group: string, config: SubscriptionGroupConfig | undefined): void {
    if (config === undefined) this.groups.delete(group)
    else this.groups.set(group, config)
  }
}
