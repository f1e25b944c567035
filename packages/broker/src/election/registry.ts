/** What is written at a key. */
export interface Entry {
  readonly value: string
  /** Of the write: greater than that of every one before it. */
  readonly revision: number
}

/** A change of several keys: all of it or nothing. */
export interface RegistryWrite {
  /** The revisions that keys must have; 0: there is nothing at the key. */
  readonly when: Readonly<Record<string, number>>
  /** What stays. */
  readonly put?: Readonly<Record<string, string>>
  /** What goes with the session of whoever writes it. */
  readonly putForSession?: Readonly<Record<string, string>>
}

/** For as long as it is renewed in time: what was written for it goes with it. */
export interface RegistrySession {
  /** So long it lasts after a renewal has come there. */
  readonly ttlMs: number
  /** False where it has ended. Throws where nobody answers. */
  renew(): Promise<boolean>
  /** False where a condition does not hold, or the session has ended. Throws where nobody answers: it may be written all the same. */
  write(change: RegistryWrite): Promise<boolean>
  /** Ends it at once. Throws where nobody answers: it ends by itself then. */
  close(): Promise<void>
}

/**
 * A small store of facts that survives a part of the machines, in which brokers of one name agree on their master: etcd, or memory in
 * simulations. Keys are relative to the place of that name.
 */
export interface Registry {
  /** Everything, as it was at one revision. Throws where nobody answers. */
  read(): Promise<ReadonlyMap<string, Entry>>
  /** Throws where nobody answers. */
  open(ttlMs: number): Promise<RegistrySession>
}
