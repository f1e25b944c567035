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

/** Too much waits already. */
export class IntakeBusy extends Error {}

/** The broker has gone while its registration waited: entered now, it would stay until it expires. */
export class BrokerGone extends RangeError {}

/** A large registration that waits for its turn. */
interface Waiting {
  readonly registration: RawRegistration
  readonly print: string
  readonly resolve: (reply: Registered['reply']) => void
  readonly reject: (error: unknown) => void
  /** The broker has unregistered meanwhile. */
  isWithdrawn: boolean
}

/**
 * Takes registrations in. Small ones at once; large ones a slice at a time, one after another, so that whatever a broker
 * sends, no turn is longer for it; and one that says what its broker said before is not read at all. Connections take
 * turns: whoever sends many large ones waits behind those who sent one.
 */
export class RegistrationIntake {
  private readonly parts: { readonly routes: RouteTable; readonly clock: Clock; readonly limits: IntakeLimits }
  /** What an address registered last, where its topics are in: the CRC and the length of a large body. */
  private readonly lastBodies = new Map<string, string>()
  private readonly aborter = new AbortController()
  /** By connection, in the order of their turns; none of the lists is empty. */
  private readonly waiting = new Map<number, Waiting[]>()
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
    if (bytes.length <= smallBytes && bytes[0] !== zlibFirstByte) {
      this.lastBodies.delete(brokerAddr)
      const body = bytes.length === 0 ? emptyBody() : registerBroker.body!.decode(bytes)
      return routes.register({ ...registration, body }, this.now())
    }
    const print = `${crc32(bytes)} ${bytes.length}`
    if (this.lastBodies.get(brokerAddr) === print) {
      const reply = routes.refresh(registration, this.now())
      if (reply !== undefined) return reply
    }
    if (this.waitingBytes + bytes.length > maxWaitingBytes) {
      throw new IntakeBusy(
        `registrations of ${this.waitingBytes} bytes wait to be read; at most ${maxWaitingBytes} may`,
      )
    }
    this.checkConnection(registration)
    return this.queue(registration, print)
  }

  /** A broker unregisters: what it has said before and waits is void. */
  withdraw({ brokerAddr, brokerName }: { readonly brokerAddr: string; readonly brokerName: string }): void {
    for (const one of [this.reading, ...[...this.waiting.values()].flat()]) {
      if (one?.registration.brokerAddr === brokerAddr && one.registration.brokerName === brokerName)
        one.isWithdrawn = true
    }
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

  private checkConnection({ connectionId, bytes }: RawRegistration): void {
    const ofConnection = this.waiting.get(connectionId)
    if (ofConnection === undefined) return
    const sum = ofConnection.reduce((all, { registration }) => all + registration.bytes.length, bytes.length)
    if (ofConnection.length < maxWaitingOfConnection && sum <= maxWaitingBytesOfConnection) return
    throw new IntakeBusy(
      `${ofConnection.length} large registrations of this connection wait to be read already; at most ` +
        `${maxWaitingOfConnection} may, of ${maxWaitingBytesOfConnection} bytes`,
    )
  }

  private queue(registration: RawRegistration, print: string): Promise<Registered['reply']> {
    const { connectionId, bytes } = registration
    this.waitingBytes += bytes.length
    const reply = new Promise<Registered['reply']>((resolve, reject) => {
      const one = { registration, print, resolve, reject, isWithdrawn: false }
      const ofConnection = this.waiting.get(connectionId)
      if (ofConnection === undefined) this.waiting.set(connectionId, [one])
      else ofConnection.push(one)
    })
    this.working ??= this.work().finally(() => {
      this.working = undefined
    })
    return reply
  }

  /** One large registration after another until none waits. */
  private async work(): Promise<void> {
    for (let next = this.next(); next !== undefined; next = this.next()) {
      const { registration, resolve, reject } = next
      this.reading = next
      try {
        resolve(await this.large(next))
      } catch (error) {
        reject(error)
      }
      this.reading = undefined
      this.waitingBytes -= registration.bytes.length
    }
  }

  /** The oldest of the connection whose turn it is; what else it has waits behind all others. */
  private next(): Waiting | undefined {
    for (const [connectionId, ofConnection] of this.waiting) {
      const one = ofConnection.shift()
      this.waiting.delete(connectionId)
      if (ofConnection.length > 0) this.waiting.set(connectionId, ofConnection)
      return one
    }
    return undefined
  }

  private async large(one: Waiting): Promise<Registered['reply']> {
    const { routes, limits } = this.parts
    const { registration, print } = one
    const { bytes, brokerAddr } = registration
    this.lastBodies.delete(brokerAddr)
    const reader = await registerBodyReader(bytes, { maxInflatedBytes, maxTopics: limits.maxTopics })
    await this.pause()
    const body = await this.read(reader)
    if (one.isWithdrawn || registration.isOpen?.() === false)
      throw new BrokerGone(`the broker ${brokerAddr} has gone before its registration was read`)
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
