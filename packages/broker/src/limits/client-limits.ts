import { ResponseCode } from '@skua-mq/protocol'
import { type Asking, type Door, type Refusal, refuse, type SwitchedGate } from '@skua-mq/remoting'
import { type Address, defineEvent, type Events } from '@skua-mq/runtime'
import { Bucket } from './bucket.ts'
import { type ClientAddress, ClientAddresses } from './client-addresses.ts'

/** Each 0 where there is none. Read anew each time. */
export interface ClientRates {
  readonly maxRequestsPerSecondPerConnection: number
  readonly maxBytesPerSecondPerConnection: number
  readonly maxRequestsPerSecondPerAddress: number
  readonly maxBytesPerSecondPerAddress: number
  readonly maxConnectionsPerAddress: number
}

export const connectionRefused = defineEvent<{ address: string; limit: string; value: number }>(
  'connection refused at a limit',
  'warn',
)
export const requestsRefused = defineEvent<{ address: string; limit: string; value: number }>(
  'requests refused at a limit',
  'warn',
)

/** An address is told of so often, and all of them together not more often than this in the same time. */
export const tellAgainMs = 60_000
export const maxToldAtOnce = 100

/**
 * Heartbeats and farewells: whoever is refused these is taken for dead, or for alive. They count like all others, and go on
 * where those are refused, for as much again.
 */
const vital: ReadonlySet<number> = new Set([34, 35])

/** Pulls: clients come again after 20 ms at 215, while 2 is a fault to them, after which they wait for 3 s. */
const pulls: ReadonlySet<number> = new Set([11, 361])

interface Client {
  readonly address: ClientAddress
  readonly requests: Bucket
  readonly bytes: Bucket
  /** Of the bytes that came, those that were looked at. */
  seenBytes: number
}

interface Need {
  readonly limit: keyof ClientRates
  readonly bucket: Bucket
  readonly amount: number
}

/**
 * What one connection, and all of one address, may ask for in a second, and how many connections an address may have. Each
 * request is asked for only while there is such a rate at all. What is refused is not counted, so that whoever asks for
 * too much gets as much as it may.
 */
export class ClientLimits implements SwitchedGate, Door {
  isOn = false
  private readonly rates: ClientRates
  private readonly events: Events
  private readonly now: () => number
  private readonly clients = new Map<Asking, Client>()
  private readonly addresses = new ClientAddresses()
  private readonly listeners: (() => void)[] = []
  private toldSinceMs = Number.NEGATIVE_INFINITY
  private told = 0

  constructor(rates: ClientRates, { events, now }: { events: Events; now: () => number }) {
    this.rates = rates
    this.events = events
    this.now = now
    this.changed()
  }

  /** The configuration may say something else now. */
  changed(): void {
    const { rates } = this
    const isOn =
      rates.maxRequestsPerSecondPerConnection > 0 ||
      rates.maxBytesPerSecondPerConnection > 0 ||
      rates.maxRequestsPerSecondPerAddress > 0 ||
      rates.maxBytesPerSecondPerAddress > 0
    if (isOn === this.isOn) return
    this.isOn = isOn
    // What came while nobody looked is no debt.
    for (const [{ account }, client] of this.clients) client.seenBytes = account.received
    for (const run of this.listeners) run()
  }

  onSwitch(run: () => void): void {
    this.listeners.push(run)
  }

  admits({ host }: Address): boolean {
    const most = this.rates.maxConnectionsPerAddress
    const address = most === 0 ? undefined : this.addresses.find(host)
    if (address === undefined || address.connections < most) return true
    this.tell(address, 'maxConnectionsPerAddress', connectionRefused)
    return false
  }

  entered(asking: Asking): void {
    const address = this.addresses.enter(asking.remote.host)
    this.clients.set(asking, { address, requests: new Bucket(), bytes: new Bucket(), seenBytes: 0 })
  }

  left(asking: Asking): void {
    const client = this.clients.get(asking)
    this.clients.delete(asking)
    if (client !== undefined) this.addresses.leave(client.address, this.now())
  }

  readonly admit = ({ code }: { readonly code: number }, asking: Asking): Refusal | undefined => {
    const client = this.clients.get(asking)
    if (client === undefined) return undefined
    const needs = this.needsOf(client, asking.account.received)
    const now = this.now()
    for (const { limit, bucket } of needs) {
      const rate = this.rates[limit]
      if (bucket.left(rate, now) >= (vital.has(code) ? 1 - rate : 1)) continue
      this.tell(client.address, limit, requestsRefused)
      return refusalOf(code, { limit, rate, client })
    }
    for (const { bucket, amount } of needs) bucket.take(amount)
    return undefined
  }

  private needsOf(client: Client, received: number): readonly Need[] {
    const { rates } = this
    const { address, requests, bytes, seenBytes } = client
    const came = received - seenBytes
    client.seenBytes = received
    const all: readonly Need[] = [
      { limit: 'maxRequestsPerSecondPerConnection', bucket: requests, amount: 1 },
      { limit: 'maxBytesPerSecondPerConnection', bucket: bytes, amount: came },
      { limit: 'maxRequestsPerSecondPerAddress', bucket: address.requests, amount: 1 },
      { limit: 'maxBytesPerSecondPerAddress', bucket: address.bytes, amount: came },
    ]
    return all.filter(({ limit }) => rates[limit] > 0)
  }

  /** Once in a while for an address, and so many lines in all: whoever is refused comes again. */
  private tell(address: ClientAddress, limit: keyof ClientRates, event: typeof requestsRefused): void {
    const now = this.now()
    if (now - (address.toldAtMs.get(limit) ?? Number.NEGATIVE_INFINITY) < tellAgainMs) return
    if (now - this.toldSinceMs >= tellAgainMs) {
      this.toldSinceMs = now
      this.told = 0
    }
    if (this.told++ >= maxToldAtOnce) return
    address.toldAtMs.set(limit, now)
    this.events.emit(event({ address: address.name, limit, value: this.rates[limit] }))
  }
}

function refusalOf(
  code: number,
  { limit, rate, client }: { readonly limit: keyof ClientRates; readonly rate: number; readonly client: Client },
): Refusal {
  const what = limit.startsWith('maxBytes') ? 'bytes' : 'requests'
  const whose = limit.endsWith('Address') ? `the address ${client.address.name}` : 'this connection'
  const remark = `[OVERLOAD]${whose} has more than ${rate} ${what} in a second (${limit})`
  return refuse(pulls.has(code) ? ResponseCode.flowControl : ResponseCode.systemBusy, remark)
}
