import type { BrokerConfig } from '../config/options.ts'
import type { Entry } from './registry.ts'

/** Who is the master of a name, as written at `master`; it goes with the session. */
export interface MasterEntry {
  readonly member: string
  /** Tells two sessions of one member apart. */
  readonly session: string
  readonly epoch: number
  /** host:port for clients. */
  readonly address: string
  /** host:port for slaves. */
  readonly haAddress: string
}

/** Who has all that was acknowledged, as written at `insync`; it stays. Only they may become the master. */
export interface InSyncEntry {
  readonly members: readonly string[]
  /** The master that wrote it, and its epoch. */
  readonly master: string
  readonly epoch: number
  /** brokerRole of that master, for those that are configured as slaves: whether a send waits for the others goes on as it was. */
  readonly role: BrokerConfig['brokerRole']
}

/** A broker that runs, as written at `member/ID`; it goes with the session. */
export interface MemberEntry {
  readonly address: string
  /** The own end of its connection to the HA port of its master; empty without one, and while it lacks something but the end of the log. */
  readonly haFrom: string
}

/** What the brokers of one name have written, as far as it can be read. */
export interface GroupState {
  readonly master: (MasterEntry & { readonly revision: number }) | undefined
  readonly inSync: (InSyncEntry & { readonly revision: number }) | undefined
  readonly members: ReadonlyMap<string, MemberEntry>
  /** Ids of slaves (brokerId), and which member has them. */
  readonly ids: ReadonlyMap<number, { readonly member: string; readonly revision: number }>
}

export const keys = {
  master: 'master',
  inSync: 'insync',
  member: (id: string) => `member/${id}`,
  brokerId: (id: number) => `id/${id}`,
} as const

export const inSyncValue = ({ members, master, epoch, role }: InSyncEntry): string =>
  JSON.stringify({ members, master, epoch, role })

/** Throws on what is no JSON: somebody else writes there. */
export function groupState(entries: ReadonlyMap<string, Entry>): GroupState {
  const of = <T>(key: string) => {
    const entry = entries.get(key)
    return entry && { ...(JSON.parse(entry.value) as T), revision: entry.revision }
  }
  const members = new Map<string, MemberEntry>()
  const ids = new Map<number, { member: string; revision: number }>()
  for (const [key, { value, revision }] of entries) {
    const [kind, id = ''] = key.split('/')
    if (kind === 'member') members.set(id, JSON.parse(value) as MemberEntry)
    if (kind === 'id') ids.set(Number(id), { member: value, revision })
  }
  return { master: of<MasterEntry>(keys.master), inSync: of<InSyncEntry>(keys.inSync), members, ids }
}
