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
  /** Replies are passed on by the client's id: one that is a member of thousands of groups costs no search. */
  private readonly byId = new Map<string, Set<ProducerMember>>()
  private readonly clock: Pick<Clock, 'monotonic' | 'now' | 'leaps'>
  private turn = 0

  constructor(clock: Pick<Clock, 'monotonic' | 'now' | 'leaps'>) {
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
    if (known !== undefined) this.forget(known)
    const member = { ...client, ...seen }
    members.set(id, member)
    const same = this.byId.get(client.clientId)
    if (same === undefined) this.byId.set(client.clientId, new Set([member]))
    else same.add(member)
    this.byConnection.set(id, group, bytesOf(group, client))
  }

  unregister(group: string, connection: Connection): void {
    const members = this.groups.get(group)
    const member = members?.get(connection.id)
    if (member !== undefined) this.forget(member)
    if (members?.delete(connection.id) && members.size === 0) this.groups.delete(group)
    this.byConnection.delete(connection.id, group)
  }

  /** A closed connection leaves its groups, one in each step. */
  *leaving(connection: Connection): Generator<void> {
    for (const group of this.byConnection.of(connection.id)) {
      this.unregister(group, connection)
      yield
    }
  }

  expire(): void {
    if (this.clock.leaps) return
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
    for (const member of this.byId.get(clientId) ?? []) if (member.connection.open) return member
    return undefined
  }

  private forget(member: ProducerMember): void {
    const same = this.byId.get(member.clientId)
    if (same?.delete(member) === true && same.size === 0) this.byId.delete(member.clientId)
  }

  all(): ReadonlyMap<string, ReadonlyMap<number, ProducerMember>> {
    return this.groups
  }
}
