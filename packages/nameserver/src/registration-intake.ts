import { crc32 } from 'node:zlib'
import { type RegisterBodyReader, type RegisterBrokerBody, registerBodyReader, registerBroker } from '@skua-mq/protocol'
import { type Clock, delay } from '@skua-mq/runtime'
import type { Registered, Registration, RouteTable } from './route-table.ts'

/** A registration whose body was not read yet. */
export type RawRegistration = Omit<Registration, 'body'> & { readonly bytes: Uint8Array }

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

/** What a body may inflate to: 100,000 topics have a tenth of it. */
const maxInflatedBytes = 32 * 1024 * 1024
/** Bodies of large registrations that wait for their turn, in bytes as they came. */
export const maxWaitingBytes = 64 * 1024 * 1024

/** Too much waits already. */
export class IntakeBusy extends Error {}

/**
 * Takes registrations in. Small ones at once; large ones a slice at a time, one after another, so that whatever a broker
 * sends, no turn is longer for it; and one that says what its broker said before is not read at all.
 */
export class RegistrationIntake {
  private readonly parts: { readonly routes: RouteTable; readonly clock: Clock; readonly limits: IntakeLimits }
  /** What an address registered last, where its topics are in: the CRC and the length of a large body. */
  private readonly lastBodies = new Map<string, string>()
  private readonly aborter = new AbortController()
  private running: Promise<unknown> = Promise.resolve()
  private sweeping: Promise<void> | undefined
  private waitingBytes = 0

  constructor(parts: RegistrationIntake['parts']) {
    this.parts = parts
  }

  /** Ends what is under way; those that wait for it are told. */
  async stop(): Promise<void> {
    this.aborter.abort(new Error('the name server stops'))
    await this.running.catch(() => {})
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
    return this.queue(registration, print)
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

  private queue(registration: RawRegistration, print: string): Promise<Registered['reply']> {
    this.waitingBytes += registration.bytes.length
    const work = this.running
      .catch(() => {})
      .then(() => this.large(registration, print))
      .finally(() => {
        this.waitingBytes -= registration.bytes.length
      })
    this.running = work
    return work
  }

  private async large(registration: RawRegistration, print: string): Promise<Registered['reply']> {
    const { routes, limits } = this.parts
    const { bytes, brokerAddr } = registration
    this.lastBodies.delete(brokerAddr)
    const reader = await registerBodyReader(bytes, { maxInflatedBytes, maxTopics: limits.maxTopics })
    await this.pause()
    const body = await this.read(reader)
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
    // Addresses that are gone stay until there are too many: an entry is a hundred bytes, and harmless.
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
