import type { SlaveProgress, SlaveState } from '../ha/slave-progress.ts'
import type { Role } from '../role/role-book.ts'
import { type GroupState, inSyncValue, keys } from './group-state.ts'
import type { RegistryWrite } from './registry.ts'

/** A slave that lacks no more than this is waited for from then on, so that it comes to have everything. */
const joinBytes = 1024 * 1024

export interface InSyncParts {
  readonly member: string
  readonly role: Role
  readonly progress: SlaveProgress
  readonly logEnd: () => number
  /** haSlaveFallbehindMax */
  readonly fallBehindMax: () => number
  readonly write: (change: RegistryWrite) => Promise<boolean>
}

interface Joining {
  readonly state: SlaveState
  /** The log ended here when sends had begun to wait for it. */
  readonly end: number
}

/**
 * The master's side of the set of those who have all that was acknowledged: a slave is waited for before it is written that it
 * belongs to the set, and until it is written that it does not.
 */
export class InSync {
  private readonly parts: InSyncParts
  private readonly joining = new Map<string, Joining>()
  /** Who was to be added by a write of which nobody knows what became: they may belong to the set at any time. */
  private perhaps: readonly string[] = []
  private known: readonly string[] | undefined

  constructor(parts: InSyncParts) {
    this.parts = parts
    // Nobody knows yet who belongs to it: nothing is acknowledged.
    parts.progress.require(new Set(), 1)
  }

  /** How many others may belong to the set; before it is known, any number. */
  get others(): number {
    return this.known === undefined ? Number.POSITIVE_INFINITY : new Set([...this.known, ...this.perhaps]).size
  }

  /** Somebody is about to belong to it. */
  get isJoined(): boolean {
    return this.joining.size > 0 || this.perhaps.length > 0
  }

  /** Brings the set to what the connections say. Throws where the registry does not answer: the set stays as it is, and is waited for. */
  async maintain(group: GroupState): Promise<void> {
    const {
      member,
      role: { brokerRole: role },
      write,
    } = this.parts
    const { master, inSync } = group
    if (master === undefined || inSync === undefined) return
    this.known = inSync.members.filter(id => id !== member)
    const others = [...new Set([...this.known, ...this.perhaps])]
    const connected = this.connected(group)
    this.join(connected, others)
    this.wait(others, connected)
    const ready = [...this.joining].filter(([, { state, end }]) => state.confirmedTo >= end).map(([id]) => id)
    const next = [...others.filter(id => connected.has(id)), ...ready]
    const isWritten = inSync.epoch === master.epoch && inSync.master === member && this.perhaps.length === 0
    if (isWritten && sameSet(next, this.known)) return
    const value = inSyncValue({ members: [member, ...next].sort(), master: member, epoch: master.epoch, role })
    const when = { [keys.master]: master.revision, [keys.inSync]: inSync.revision }
    this.perhaps = [...new Set([...this.perhaps, ...next.filter(id => !inSync.members.includes(id))])]
    const isDone = await write({ when, put: { [keys.inSync]: value } })
    // Refused, it may have been done all the same, where it was asked twice: what is read next says so.
    if (!isDone) return
    // Nothing that was sent before can be written any more: its condition does not hold.
    this.perhaps = []
    for (const id of ready) this.joining.delete(id)
    this.known = next
    this.wait(next, connected)
  }

  /** Slaves that are connected, answer and have nearly everything, by the member that says that it has this connection. */
  private connected({ members }: GroupState): Map<string, SlaveState> {
    const { progress, logEnd, fallBehindMax, member } = this.parts
    const byAddress = new Map<string, string | undefined>()
    for (const [id, { haFrom }] of members)
      if (id !== member) byAddress.set(haFrom, byAddress.has(haFrom) ? undefined : id)
    const connected = new Map<string, SlaveState>()
    for (const state of progress.all()) {
      const id = byAddress.get(state.slave)
      if (id !== undefined && state.keepsUp && logEnd() - state.confirmedTo <= fallBehindMax()) connected.set(id, state)
    }
    return connected
  }

  private join(connected: ReadonlyMap<string, SlaveState>, others: readonly string[]): void {
    const { logEnd } = this.parts
    for (const [id, { state }] of this.joining)
      if (connected.get(id) !== state || others.includes(id)) this.joining.delete(id)
    for (const [id, state] of connected)
      if (!others.includes(id) && !this.joining.has(id) && logEnd() - state.confirmedTo <= joinBytes)
        this.joining.set(id, { state, end: Number.POSITIVE_INFINITY })
  }

  /** Sends wait for all of the set and for those who join it. */
  private wait(others: readonly string[], connected: ReadonlyMap<string, SlaveState>): void {
    const { progress, logEnd } = this.parts
    const wanted = new Set([...this.joining.values()].map(({ state }) => state))
    let missing = 0
    for (const id of others) {
      const state = connected.get(id)
      if (state === undefined) missing++
      else wanted.add(state)
    }
    progress.require(wanted, missing)
    for (const [id, { state, end }] of this.joining)
      if (end === Number.POSITIVE_INFINITY) this.joining.set(id, { state, end: logEnd() })
  }
}

const sameSet = (a: readonly string[], b: readonly string[]): boolean =>
  a.length === b.length && a.every(id => b.includes(id))
