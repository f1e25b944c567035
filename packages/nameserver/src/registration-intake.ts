import { crc32 } from 'node:zlib'
import { type RegisterBodyReader, type RegisterBrokerBody, registerBodyReader, registerBroker } from '@skua-mq/protocol'
import { type Clock, delay } from '@skua-mq/runtime'
import type { Registered, Registration, RouteTable } from './route-table.ts'

/** A registration whose body was not read yet. */
export type RawRegistration = Omit<Registration, 'body'> & {
  readonly bytes: Uint8Array
  /** Whether the connection that it came over is still there; default: it is. */
  readonly isOpen?: () => boolean
}

export interface IntakeLimits {
  /** maxRegisteredTopics */
  readonly maxTopics: number
  /** maxRegisteredBrokers */
  readonly maxBrokers: number
}

/** A body up to this size is read at once: a millisecond at most. Compressed ones may be a hundred times as large inside. */
const smallBytes = 32 * 1024
const zlibFirstByte = 0x78

/** What one slice reads and enters: a few milliseconds. */
const sliceBytes = 32 * 1024
const sliceTopics = 1000

/** Longest address of which the last body is remembered: a host name and a port. */
const longestAddress = 262

/** What a body may inflate to: 100,000 topics have a tenth of it. */
const maxInflatedBytes = 32 * 1024 * 1024
/** Bodies of large registrations that wait for their turn, in bytes as they came. */
export const maxWaitingBytes = 64 * 1024 * 1024
/** The same of one connection, behind its first: a broker sends one and waits for the answer. */
export const maxWaitingOfConnection = 4
export const maxWaitingBytesOfConnection = 16 * 1024 * 1024
/** What a small one counts for that waits behind a large one of its broker. */
const leastWaitingBytes = 1024

/** Too much waits already. */
export class IntakeBusy extends Error {}

/** The broker has gone while its registration waited: entered now, it would stay until it expires. */
export class BrokerGone extends RangeError {}

/** A registration that waits for its turn. */
interface Waiting {
  readonly registration: RawRegistration
  /** Of a large one. */
  readonly print: string | undefined
  /** What it counts for while it waits. */
  readonly bytes: number
  readonly resolve: (reply: Registered['reply']) => void
  readonly reject: (error: unknown) => void
  /** Resolves when it is answered, either way. */
  over: Promise<unknown>
  /** The broker has unregistered meanwhile. */
  isWithdrawn: boolean
}

/** What waits of a connection. */
interface OfConnection {
  large: number
  bytes: number
}

/**
 * Takes registrations in. Small ones at once; large ones a slice at a time, one after another, so that whatever a broker
 * sends, no turn is longer for it; and one that says what its broker said before is not read at all. Connections take
 * turns: whoever sends many large ones waits behind those who sent one. What a broker says while a large one of it waits comes
 * behind that, however small: it may be what has changed since.
 */
export class RegistrationIntake {
  private readonly parts: { readonly routes: RouteTable; readonly clock: Clock; readonly limits: IntakeLimits }
  /** What an address registered last, where its topics are in: the CRC and the length of a large body. */
  private readonly lastBodies = new Map<string, string>()
  private readonly aborter = new AbortController()
  /** By whose turn it is, which is a connection, in the order of their turns; none of the lists is empty. */
  private readonly waiting = new Map<number, Waiting[]>()
  /** By broker: with whose turns its registrations come, and how many of them wait or are read. */
  private readonly turns = new Map<string, { readonly turn: number; count: number }>()
  private readonly ofConnections = new Map<number, OfConnection>()
  /** The one that is being read. */
  private reading: Waiting | undefined
  private working: Promise<void> | undefined
  private sweeping: Promise<void> | undefined
  private waitingBytes = 0

  constructor(parts: RegistrationIntake['parts']) {
    this.parts = parts
  }

  /** Ends what is under way; those that wait for it are told. */
  async stop(): Promise<void> {
    this.aborter.abort(new Error('the name server stops'))
    await this.working
    await this.sweeping
  }

  /** Throws or rejects: SyntaxError and RangeError for a body that cannot be taken, IntakeBusy. */
  take(registration: RawRegistration): Registered['reply'] | Promise<Registered['reply']> {
    const { routes, limits } = this.parts
    const { bytes, brokerAddr } = registration
    if (!routes.isKnown(brokerAddr) && routes.addressCount >= limits.maxBrokers) {
      throw new RangeError(`${limits.maxBrokers} brokers are registered, as many as maxRegisteredBrokers allows`)
    }
    const isFirst = !this.turns.has(brokerAddr)
    const isSmall = bytes.length <= smallBytes && bytes[0] !== zlibFirstByte
    if (isSmall && isFirst) return this.small(registration)
    const print = isSmall ? undefined : `${crc32(bytes)} ${bytes.length}`
    if (isFirst && this.lastBodies.get(brokerAddr) === print) {
      const reply = routes.refresh(registration, this.now())
      if (reply !== undefined) return reply
    }
    const counted = Math.max(bytes.length, leastWaitingBytes)
    if (this.waitingBytes + counted > maxWaitingBytes) {
      throw new IntakeBusy(
        `registrations of ${this.waitingBytes} bytes wait to be read; at most ${maxWaitingBytes} may`,
      )
    }
    this.checkConnection(registration.connectionId, { bytes: counted, isSmall })
    return this.queue({ registration, print, bytes: counted })
  }

  private small(registration: RawRegistration): Registered['reply'] {
    const { bytes, brokerAddr } = registration
    this.lastBodies.delete(brokerAddr)
    const body = bytes.length === 0 ? emptyBody() : registerBroker.body!.decode(bytes)
    return this.parts.routes.register({ ...registration, body }, this.now())
  }

  /** Resolves when what has come up to now is in, or could not be; undefined where nothing waits. */
  settled(): Promise<void> | undefined {
    const { pending } = this
    if (pending.length === 0) return undefined
    return Promise.all(pending.map(({ over }) => over)).then(() => {})
  }

  /** A broker unregisters: what it has said before and waits is void. */
  withdraw({ brokerAddr, brokerName }: { readonly brokerAddr: string; readonly brokerName: string }): void {
    for (const one of this.pending) {
      const { registration } = one
      if (registration.brokerAddr === brokerAddr && registration.brokerName === brokerName) one.isWithdrawn = true
    }
  }

  private get pending(): Waiting[] {
    const waiting = [...this.waiting.values()].flat()
    return this.reading === undefined ? waiting : [this.reading, ...waiting]
  }

  /** Brokers are gone: their topics are taken out a slice at a time. */
  sweep(): void {
    this.sweeping ??= this.sweepAll().finally(() => {
      this.sweeping = undefined
    })
  }

  private async sweepAll(): Promise<void> {
    try {
      while (!this.parts.routes.sweep(sliceTopics)) await this.pause()
    } catch {
      // The name server stops, and forgets all routes.
    }
  }

  private checkConnection(connectionId: number, more: { readonly bytes: number; readonly isSmall: boolean }): void {
    const waits = this.ofConnections.get(connectionId)
    if (waits === undefined) return
    const isRoom = more.isSmall || waits.large < maxWaitingOfConnection
    if (isRoom && waits.bytes + more.bytes <= maxWaitingBytesOfConnection) return
    throw new IntakeBusy(
      `${waits.large} large registrations of this connection wait to be read already; at most ` +
        `${maxWaitingOfConnection} may, of ${maxWaitingBytesOfConnection} bytes`,
    )
  }

  private queue(what: Pick<Waiting, 'registration' | 'print' | 'bytes'>): Promise<Registered['reply']> {
    const { connectionId, brokerAddr } = what.registration
    const turns = this.turns.get(brokerAddr) ?? { turn: connectionId, count: 0 }
    turns.count++
    this.turns.set(brokerAddr, turns)
    const reply = new Promise<Registered['reply']>((resolve, reject) => {
      const one: Waiting = { ...what, resolve, reject, over: Promise.resolve(), isWithdrawn: false }
      const ofTurn = this.waiting.get(turns.turn)
      if (ofTurn === undefined) this.waiting.set(turns.turn, [one])
      else ofTurn.push(one)
      this.count(one, 1)
    })
    this.waiting.get(turns.turn)!.at(-1)!.over = reply.catch(() => {})
    this.waitingBytes += what.bytes
    this.working ??= this.work().finally(() => {
      this.working = undefined
    })
    return reply
  }

  /** It waits, or does no more. */
  private count({ registration: { connectionId }, bytes, print }: Waiting, by: 1 | -1): void {
    const known = this.ofConnections.get(connectionId) ?? { large: 0, bytes: 0 }
    known.bytes += by * bytes
    if (print !== undefined) known.large += by
    if (known.bytes > 0) this.ofConnections.set(connectionId, known)
    else this.ofConnections.delete(connectionId)
  }

  /** One registration after another until none waits. */
  private async work(): Promise<void> {
    for (let next = this.next(); next !== undefined; next = this.next()) {
      const { registration, print, resolve, reject } = next
      this.reading = next
      try {
        resolve(print === undefined ? this.smallLater(next) : await this.large(next, print))
      } catch (error) {
        reject(error)
      }
      this.reading = undefined
      this.waitingBytes -= next.bytes
      const turns = this.turns.get(registration.brokerAddr)
      if (turns !== undefined && --turns.count === 0) this.turns.delete(registration.brokerAddr)
    }
  }

  /** The oldest of those whose turn it is; what else they have waits behind all others. */
  private next(): Waiting | undefined {
    for (const [turn, ofTurn] of this.waiting) {
      const one = ofTurn.shift()
      this.waiting.delete(turn)
      if (ofTurn.length > 0) this.waiting.set(turn, ofTurn)
      if (one !== undefined) this.count(one, -1)
      return one
    }
    return undefined
  }

  private smallLater(one: Waiting): Registered['reply'] {
    this.checkThere(one)
    return this.small(one.registration)
  }

  private checkThere({ registration: { brokerAddr, isOpen }, isWithdrawn }: Waiting): void {
    if (isWithdrawn || isOpen?.() === false)
      throw new BrokerGone(`the broker ${brokerAddr} has gone before its registration was read`)
  }

  private async large(one: Waiting, print: string): Promise<Registered['reply']> {
    const { routes, limits } = this.parts
    const { registration } = one
    const { bytes, brokerAddr } = registration
    this.lastBodies.delete(brokerAddr)
    const reader = await registerBodyReader(bytes, { maxInflatedBytes, maxTopics: limits.maxTopics })
    await this.pause()
    const body = await this.read(reader)
    this.checkThere(one)
    const { reply, enter } = routes.begin({ ...registration, body }, this.now())
    while (!enter(sliceTopics)) await this.pause()
    if (routes.isKnown(brokerAddr)) this.remember(brokerAddr, print)
    return reply
  }

  private async read(reader: RegisterBodyReader): Promise<RegisterBrokerBody> {
    while (!reader.step(sliceBytes)) await this.pause()
    return reader.value()
  }

  private remember(brokerAddr: string, print: string): void {
    // Addresses that are gone stay until there are too many: an entry is some hundred bytes, and harmless.
    if (brokerAddr.length > longestAddress) return
    if (this.lastBodies.size >= this.parts.limits.maxBrokers) this.lastBodies.clear()
    this.lastBodies.set(brokerAddr, print)
  }

  private pause(): Promise<void> {
    return delay(this.parts.clock, 0, this.aborter.signal)
  }

  private now(): number {
    return this.parts.clock.monotonic()
  }
}

/** A broker without topics may send no body at all. */
const emptyBody = (): RegisterBrokerBody => ({
  filterServerList: [],
  topicConfigSerializeWrapper: { dataVersion: { timestamp: 0, counter: 0 }, topicConfigTable: new Map() },
})
