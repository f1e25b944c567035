import { hostBytesV4, hostBytesV6, printAddress, readHost } from './host.ts'

/** What an offset message id says: where the message lies. */
export interface OffsetMessageId {
  address: string
  port: number
  physicalOffset: number
}

/** Upper-case hex digits, as bytes. */
const digits = new TextEncoder().encode('0123456789ABCDEF')

/**
 * Writes the offset message id of a record straight into a reply: hex of the store host, then of the 64-bit offset.
 * Each answered message pays for it, hence no text and no BigInt. Returns the position after the 32 or 56 characters.
 */
export function writeOffsetMessageId(
  into: Uint8Array,
  at: number,
  { storeHost, physicalOffset }: { storeHost: Uint8Array; physicalOffset: number },
): number {
  let to = at
  for (let i = 0; i < storeHost.length; i++) {
    const byte = storeHost[i]!
    into[to++] = digits[byte >> 4]!
    into[to++] = digits[byte & 15]!
  }
  to = writeHexWord(into, to, Math.floor(physicalOffset / 0x1_0000_0000))
  return writeHexWord(into, to, physicalOffset | 0)
}

function writeHexWord(into: Uint8Array, at: number, word: number): number {
  for (let i = 0; i < 8; i++) into[at + i] = digits[(word >>> (28 - 4 * i)) & 15]!
  return at + 8
}

/** The id as text. `storeHost` in the form of `encodeHost`. */
export function offsetMessageId(storeHost: Uint8Array, physicalOffset: number): string {
  const id = Buffer.allocUnsafe(2 * storeHost.length + 16)
  writeOffsetMessageId(id, 0, { storeHost, physicalOffset })
  return id.toString('latin1')
}

/** Undefined for text that is no offset message id: wrong length, other characters, an offset that no log can have. */
export function parseOffsetMessageId(id: string): OffsetMessageId | undefined {
  const hostBytes = id.length === 32 ? hostBytesV4 : id.length === 56 ? hostBytesV6 : 0
  if (hostBytes === 0 || !/^[0-9a-fA-F]+$/.test(id)) return undefined
  const bytes = Buffer.from(id, 'hex')
  const physicalOffset = bytes.readInt32BE(hostBytes) * 0x1_0000_0000 + bytes.readUInt32BE(hostBytes + 4)
  if (physicalOffset < 0 || !Number.isSafeInteger(physicalOffset)) return undefined
  return { ...readHost(bytes, 0, hostBytes === hostBytesV6), physicalOffset }
}

/** What tells the ids of two generators apart. Everything comes from outside. */
export interface UniqueIdSource {
  /** 4 or 16 bytes. */
  ip: Uint8Array
  /** Low 16 bits are used. */
  pid: number
  /** Any 32 stable bits; Java takes its class loader's hash. */
  instance: number
  /** First value of the 16-bit counter. */
  counter?: number
}

/**
 * Makes unique ids (UNIQ_KEY; remoting.md 14.6): ip, pid, instance, milliseconds since the month began (local time), counter.
 * One per client process; not safe to share its `ip`, `pid` and `instance` with another one.
 */
export class UniqueIds {
  private readonly id: Buffer
  private readonly timeAt: number
  private counter: number
  private monthStartMs = 0
  private monthEndMs = 0

  constructor(source: UniqueIdSource) {
    this.timeAt = source.ip.length + 6
    this.id = Buffer.alloc(source.ip.length + 12)
    this.id.set(source.ip)
    this.id.writeUInt16BE(source.pid & 0xffff, source.ip.length)
    this.id.writeInt32BE(source.instance | 0, source.ip.length + 2)
    this.counter = (source.counter ?? 0) & 0xffff
  }

  /** A new id, 32 or 56 characters. `nowMs` since 1970. */
  next(nowMs: number): string {
    if (nowMs < this.monthStartMs || nowMs >= this.monthEndMs) this.enterMonth(nowMs)
    this.id.writeInt32BE((nowMs - this.monthStartMs) | 0, this.timeAt)
    this.id.writeUInt16BE(this.counter, this.timeAt + 4)
    this.counter = (this.counter + 1) & 0xffff
    return this.id.toString('hex').toUpperCase()
  }

  private enterMonth(nowMs: number): void {
    const now = new Date(nowMs)
    this.monthStartMs = new Date(now.getFullYear(), now.getMonth(), 1).getTime()
    this.monthEndMs = new Date(now.getFullYear(), now.getMonth() + 1, 1).getTime()
  }
}

export interface UniqueIdParts {
  address: string
  pid: number
  instance: number
  /** When it was made, if that is less than a month ago: the id holds no year and no month. */
  bornAtMs: number
  counter: number
}

/** Takes a unique id apart, for display. Undefined if its form is wrong. `nowMs` tells which month is meant. */
export function parseUniqueId(id: string, nowMs: number): UniqueIdParts | undefined {
  const ipBytes = id.length === 32 ? 4 : id.length === 56 ? 16 : 0
  if (ipBytes === 0 || !/^[0-9a-fA-F]+$/.test(id)) return undefined
  const bytes = Buffer.from(id, 'hex')
  const inMonth = bytes.readUInt32BE(ipBytes + 6)
  const now = new Date(nowMs)
  let bornAtMs = new Date(now.getFullYear(), now.getMonth(), 1).getTime() + inMonth
  if (bornAtMs >= nowMs) bornAtMs = new Date(now.getFullYear(), now.getMonth() - 1, 1).getTime() + inMonth
  return {
    address: printAddress(bytes.subarray(0, ipBytes)),
    pid: bytes.readUInt16BE(ipBytes),
    instance: bytes.readInt32BE(ipBytes + 2),
    bornAtMs,
    counter: bytes.readUInt16BE(ipBytes + 10),
  }
}
