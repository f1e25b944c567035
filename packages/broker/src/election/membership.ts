import { type Clock, Failure, type Random } from '@skua-mq/runtime'
import { type GroupState, groupState, keys } from './group-state.ts'
import type { Registry, RegistrySession, RegistryWrite } from './registry.ts'

export interface MembershipParts {
  readonly clock: Pick<Clock, 'monotonic'>
  readonly random: Pick<Random, 'uuid'>
  readonly registry: Registry
  readonly member: () => string
  /** host:port for clients. */
  readonly address: string
  readonly leaseMs: number
  /** brokerId of the configuration: the first one that is tried. */
  readonly brokerId: number
}

export interface Seen {
  readonly group: GroupState
  /** By the monotonic clock: the session was renewed by something that was sent no earlier. */
  readonly renewedMs: number
}

/** This broker among those of its name: its session in the registry, and what goes with that. */
export class Membership {
  private readonly parts: MembershipParts
  private session: RegistrySession | undefined
  private sessionId = ''
  private published = ''
  /** As a slave; undefined until one was claimed. */
  brokerId: number | undefined

  constructor(parts: MembershipParts) {
    this.parts = parts
  }

  get ttlMs(): number {
    return this.session?.ttlMs ?? this.parts.leaseMs
  }

  get sessionName(): string {
    return this.sessionId
  }

  /**
   * The session lasts, this broker stands there with `haFrom`, and this is what stands there. What is read is read behind the renewal:
   * a registry that has lost its majority may renew by itself, and cannot answer that. Throws where nobody answers.
   */
  async renew(haFrom: string): Promise<Seen> {
    const { clock, registry, random, leaseMs } = this.parts
    let renewedMs = clock.monotonic()
    if (this.session === undefined || !(await this.session.renew())) {
      renewedMs = clock.monotonic()
      this.session = await registry.open(leaseMs)
      this.sessionId = random.uuid()
      this.published = ''
    }
    const group = groupState(await registry.read())
    this.checkAlone(group)
    await this.publish(group, haFrom)
    return { group, renewedMs }
  }

  isOwn({ master }: GroupState): boolean {
    return master !== undefined && master.member === this.parts.member() && master.session === this.sessionId
  }

  /** False where a condition does not hold, or the session has ended. Throws where nobody answers: it may be written all the same. */
  async write(change: RegistryWrite): Promise<boolean> {
    return this.session !== undefined && (await this.session.write(change))
  }

  /** An id that no other slave of this name has; `wanted` where that is free. */
  async claimId({ ids }: GroupState, wanted = this.brokerId ?? this.parts.brokerId): Promise<void> {
    const member = this.parts.member()
    const first = Math.max(1, wanted)
    for (let tried = 0; tried <= ids.size + 1; tried++) {
      const id = tried === 0 ? first : tried
      const found = ids.get(id)
      if (found !== undefined && found.member !== member) continue
      const key = keys.brokerId(id)
      if (await this.write({ when: { [key]: found?.revision ?? 0 }, putForSession: { [key]: member } })) {
        this.brokerId = id
        return
      }
    }
  }

  /** What goes with the session goes now. Errors are none: it ends by itself. */
  async leave(): Promise<void> {
    const { session } = this
    this.session = undefined
    await session?.close().catch(() => {})
  }

  /** Of two brokers with one name in the registry, as of a store and its copy, either could be taken for the other. */
  private checkAlone({ members }: GroupState): void {
    const member = this.parts.member()
    const there = members.get(member)?.address
    if (there === undefined || there === this.parts.address) return
    throw new Failure(
      'EMEMBER',
      `the broker at ${there} runs with the same name in the registry (${member}), or has until a moment ago: where the store here is a copy of its, remove config/skuaRole.json from the copy`,
    )
  }

  private async publish(group: GroupState, haFrom: string): Promise<void> {
    const { member, address } = this.parts
    // The session is a new one.
    if (this.brokerId !== undefined && this.published === '') await this.claimId(group)
    const value = JSON.stringify({ address, haFrom })
    if (value === this.published) return
    if (await this.write({ when: {}, putForSession: { [keys.member(member())]: value } })) this.published = value
  }
}
