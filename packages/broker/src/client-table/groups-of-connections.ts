/** The names of the groups that each connection is a member of: its end costs no more than these. */
export class GroupsOfConnections {
  private readonly names = new Map<number, Set<string>>()

  add(connectionId: number, group: string): void {
    const names = this.names.get(connectionId)
    if (names === undefined) this.names.set(connectionId, new Set([group]))
    else names.add(group)
  }

  delete(connectionId: number, group: string): void {
    const names = this.names.get(connectionId)
    if (names?.delete(group) && names.size === 0) this.names.delete(connectionId)
  }

  /** A copy: members may leave while it is gone through. */
  of(connectionId: number): readonly string[] {
    return [...(this.names.get(connectionId) ?? [])]
  }
}
