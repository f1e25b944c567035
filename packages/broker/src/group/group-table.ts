import type { SubscriptionGroupConfig } from '@skua-mq/protocol'
import { type Clock, defineEvent, type Events } from '@skua-mq/runtime'
import { type TableFile, TableVersion } from '../persist/table-file.ts'
import { illegalGroupName } from '../topic/names.ts'

export const groupCreated = defineEvent<{ group: string; why: string }>('consumer group created', 'info')

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
/** Those of them that consume in broadcasting. */
const broadcasting = new Set(['CID_ONS-HTTP-PROXY', 'CID_ONSAPI_PULL', 'CID_ONSAPI_PERMISSION', 'CID_ONSAPI_OWNER'])

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

/** What a broker knows of consumer groups, kept in config/subscriptionGroup.json. */
export class GroupTable {
  readonly version = new TableVersion()
  private readonly groups = new Map<string, SubscriptionGroupConfig>()
  private readonly parts: {
    readonly clock: Pick<Clock, 'now'>
    readonly events: Events
    readonly file: TableFile
    readonly autoCreate: () => boolean
  }

  constructor(parts: GroupTable['parts']) {
    this.parts = parts
  }

  load(): void {
    const saved = this.parts.file.load()
    if (saved !== undefined) {
      const table = (saved['subscriptionGroupTable'] ?? {}) as Record<string, Partial<SubscriptionGroupConfig>>
      for (const [name, config] of Object.entries(table))
        this.groups.set(name, { ...groupConfig(name), ...config, groupName: name })
      this.version.read(saved['dataVersion'])
    }
    for (const name of systemGroups) {
      if (!this.groups.has(name))
        this.groups.set(name, {
          ...groupConfig(name),
          consumeBroadcastEnable: broadcasting.has(name) || name === 'TOOLS_CONSUMER',
        })
    }
  }

  find(group: string): SubscriptionGroupConfig | undefined {
    return this.groups.get(group)
  }

  /** As `find`, and creates the group where autoCreateSubscriptionGroup allows it. */
  findOrCreate(group: string): SubscriptionGroupConfig | undefined {
    const known = this.groups.get(group)
    if (known !== undefined) return known
    if (!(this.parts.autoCreate() || group.startsWith('CID_RMQ_SYS_')) || illegalGroupName(group) !== undefined)
      return undefined
    const config = groupConfig(group)
    this.groups.set(group, config)
    this.parts.events.emit(groupCreated({ group, why: 'first seen' }))
    this.changed()
    return config
  }

  put(config: SubscriptionGroupConfig): void {
    this.groups.set(config.groupName, config)
    this.changed()
  }

  delete(group: string): boolean {
    if (!this.groups.delete(group)) return false
    this.changed()
    return true
  }

  all(): ReadonlyMap<string, SubscriptionGroupConfig> {
    return this.groups
  }

  save(): void {
    this.parts.file.save({ dataVersion: this.version.toJSON(), subscriptionGroupTable: this.groups })
  }

  private changed(): void {
    this.version.next(this.parts.clock.now())
    this.save()
  }
}
