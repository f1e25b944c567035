/** What all connections together, and one of them, may keep in a table of clients, in bytes. */
const mostBytes = 256 * 1024 * 1024
const mostBytesOfOne = 8 * 1024 * 1024
/** However many connections there are, each has room for so much. */
const leastBytesOfOne = 256 * 1024

interface Member {
  bytes: number
  readonly groups: Map<string, number>
}

/**
 * The groups that each connection is a member of, with what that takes in bytes: its end costs no more than these, and a
 * client that invents groups fills its own share only.
 */
export class GroupsOfConnections {
  private readonly members = new Map<number, Member>()

  /** Whether a connection may keep so much of a group, in place of what it has kept of it. */
  hasRoom(connectionId: number, group: string, bytes: number): boolean {
    const member = this.members.get(connectionId)
    const others = (member?.bytes ?? 0) - (member?.groups.get(group) ?? 0)
    const share = Math.min(mostBytesOfOne, mostBytes / Math.max(1, this.members.size))
    return others + bytes <= Math.max(leastBytesOfOne, share)
  }

  /** Also for one that it is a member of: its bytes are these now. */
  set(connectionId: number, group: string, bytes: number): void {
    let member = this.members.get(connectionId)
    if (member === undefined) {
      member = { bytes: 0, groups: new Map() }
      this.members.set(connectionId, member)
    }
    member.bytes += bytes - (member.groups.get(group) ?? 0)
    member.groups.set(group, bytes)
  }

  delete(connectionId: number, group: string): void {
    const member = this.members.get(connectionId)
    const bytes = member?.groups.get(group)
    if (member === undefined || bytes === undefined) return
    member.bytes -= bytes
    member.groups.delete(group)
    if (member.groups.size === 0) this.members.delete(connectionId)
  }

  /** A copy: members may leave while it is gone through. */
  of(connectionId: number): readonly string[] {
    return [...(this.members.get(connectionId)?.groups.keys() ?? [])]
  }
}
