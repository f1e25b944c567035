import type { Connection } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import type { Client } from './client.ts'
import { memberExpiryMs } from './consumer-groups.ts'
import { GroupsOfConnections } from './groups-of-connections.ts'

export interface ProducerMember extends Client {
  /** Monotonic, for the expiry. */
  lastSeenMs: number
  /** Wall clock, for people. */
  lastSeenAtMs: number
}

/** About what a member takes without its texts. */
const memberBytes = 300

const bytesOf = (group: string, { clientId }: Client): number => memberBytes + group.length + clientId.length

/** Producers that are connected, by group: whom to ask about a transaction, and where a reply goes. */
export class ProducerGroups {
  private readonly groups = new Map<string, Map<number, ProducerMember>>()
  private readonly byConnection = new GroupsOfConnections()
  private readonly clock: Pick<Clock, 'monotonic' | 'now'>
  private turn = 0

  constructor(clock: Pick<Clock, 'monotonic' | 'now'>) {
    this.clock = clock
  }

  /** Whether one more group has room in its connection's share. */
  hasRoom(group: string, client: Client): boolean {
    return this.byConnection.hasRoom(client.connection.id, group, bytesOf(group, client))
  }

  register(group: string, client: Client): void {
    let members = this.groups.get(group)
    if (members === undefined) {
      members = new Map()
      this.groups.set(group, members)
    }
    const seen = { lastSeenMs: this.clock.monotonic(), lastSeenAtMs: this.clock.now() }
    const known = members.get(client.connection.id)
    if (known?.clientId === client.clientId) {
      Object.assign(known, seen)
      return
    }
    const { id } = client.connection
    members.set(id, { ...client, ...seen })
    this.byConnection.set(id, group, bytesOf(group, client))
  }

  unregister(group: string, connection: Connection): void {
    const members = this.groups.get(group)
    if (members?.delete(connection.id) && members.size === 0) this.groups.delete(group)
    this.byConnection.delete(connection.id, group)
  }

  connectionClosed(connection: Connection): void {
    for (const group of this.byConnection.of(connection.id)) this.unregister(group, connection)
  }

  expire(): void {
    const limit = this.clock.monotonic() - memberExpiryMs
    for (const [group, members] of [...this.groups]) {
      for (const member of [...members.values()]) {
        if (member.lastSeenMs >= limit) continue
        member.connection.close()
        this.unregister(group, member.connection)
      }
    }
  }

  membersOf(group: string): readonly ProducerMember[] {
    return [...(this.groups.get(group)?.values() ?? [])]
  }

  /** One of a group in turn; undefined when nobody is connected. */
  next(group: string): ProducerMember | undefined {
    const members = this.membersOf(group).filter(member => member.connection.open)
    return members.length === 0 ? undefined : members[this.turn++ % members.length]
  }

  /** Where a reply for this client goes (326); undefined when it is not connected here. */
  byClientId(clientId: string): ProducerMember | undefined {
    for (const members of this.groups.values()) {
      for (const member of members.values()) if (member.clientId === clientId && member.connection.open) return member
    }
    return undefined
  }

  all(): ReadonlyMap<string, ReadonlyMap<number, ProducerMember>> {
    return this.groups
  }
}
