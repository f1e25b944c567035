/**
 * A host as records and ids carry it: 4 or 16 bytes of address, then the port as int32. Broker and client keep their
 * own host in this form, so that writing it is a copy.
 */
export const hostBytesV4 = 8
export const hostBytesV6 = 20

export interface Host {
  /** `10.1.2.3`, or IPv6 in its shortest form. */
  address: string
  port: number
}

/** Host bytes of an address (IPv4, or IPv6 with or without brackets and zone). Undefined for what is neither. */
export function encodeHost(address: string, port: number): Buffer | undefined {
  const ip = parseAddress(address)
  if (ip === undefined || !Number.isInteger(port) || port < -0x80000000 || port > 0x7fffffff) return undefined
  const host = Buffer.allocUnsafe(ip.length + 4)
  host.set(ip)
  host.writeInt32BE(port, ip.length)
  return host
}

/** `10.1.2.3:10911` or `[2001:db8::1]:10911` to host bytes. Undefined for anything else. */
export function parseHost(text: string): Buffer | undefined {
  const colon = text.lastIndexOf(':')
  const port = text.slice(colon + 1)
  if (colon < 0 || !/^\d{1,5}$/.test(port) || Number(port) > 65_535) return undefined
  return encodeHost(text.slice(0, colon), Number(port))
}

/** Reads a host of 8 or 20 bytes; the caller has checked that they are there. */
export function readHost(bytes: Uint8Array, at: number, v6: boolean): Host {
  const portAt = at + (v6 ? 16 : 4)
  const port = (bytes[portAt]! << 24) | (bytes[portAt + 1]! << 16) | (bytes[portAt + 2]! << 8) | bytes[portAt + 3]!
  return { address: v6 ? printV6(bytes, at) : printV4(bytes, at), port }
}

/** `10.1.2.3:10911`; IPv6 gets brackets. */
export function printHost(host: Host): string {
  return host.address.includes(':') ? `[${host.address}]:${host.port}` : `${host.address}:${host.port}`
}

/** Address text to 4 or 16 bytes; undefined if it is no address. */
export function parseAddress(text: string): Uint8Array | undefined {
  if (!text.includes(':')) return parseV4(text)
  const zone = text.indexOf('%')
  const bare = (zone < 0 ? text : text.slice(0, zone)).replace(/^\[|\]$/g, '')
  return parseV6(bare)
}

/** 4 or 16 bytes to address text. */
export function printAddress(ip: Uint8Array): string {
  return ip.length === 16 ? printV6(ip, 0) : printV4(ip, 0)
}

function parseV4(text: string): Uint8Array | undefined {
  const parts = text.split('.')
  if (parts.length !== 4 || !parts.every(part => /^\d{1,3}$/.test(part) && Number(part) <= 255)) return undefined
  return Uint8Array.from(parts, Number)
}

function parseV6(text: string): Uint8Array | undefined {
  const halves = text.split('::')
  if (halves.length > 2) return undefined
  const head = groups(halves[0]!)
  const tail = halves.length === 2 ? groups(halves[1]!) : []
  if (head === undefined || tail === undefined) return undefined
  const missing = 8 - head.length - tail.length
  if (halves.length === 2 ? missing < 1 : missing !== 0) return undefined
  const ip = new Uint8Array(16)
  for (const [i, group] of head.entries()) put(ip, i, group)
  for (const [i, group] of tail.entries()) put(ip, 8 - tail.length + i, group)
  return ip
}

function put(ip: Uint8Array, index: number, group: number): void {
  ip[index * 2] = group >> 8
  ip[index * 2 + 1] = group & 0xff
}

/** The 16-bit groups of one side of `::`; a last part in IPv4 form makes two. */
function groups(text: string): number[] | undefined {
  if (text === '') return []
  const found: number[] = []
  const parts = text.split(':')
  for (const [i, part] of parts.entries()) {
    if (/^[0-9a-fA-F]{1,4}$/.test(part)) {
      found.push(Number.parseInt(part, 16))
      continue
    }
    const v4 = i === parts.length - 1 ? parseV4(part) : undefined
    if (v4 === undefined) return undefined
    found.push((v4[0]! << 8) | v4[1]!, (v4[2]! << 8) | v4[3]!)
  }
  return found
}

function printV4(bytes: Uint8Array, at: number): string {
  return `${bytes[at]}.${bytes[at + 1]}.${bytes[at + 2]}.${bytes[at + 3]}`
}

/** Lower case, the longest run of two or more zero groups written as `::`. */
function printV6(bytes: Uint8Array, at: number): string {
  const all: number[] = []
  for (let i = 0; i < 8; i++) all.push((bytes[at + 2 * i]! << 8) | bytes[at + 2 * i + 1]!)
  let runAt = -1
  let runLength = 1
  for (let i = 0; i < 8; i++) {
    let n = 0
    while (i + n < 8 && all[i + n] === 0) n++
    if (n > runLength) {
      runAt = i
      runLength = n
    }
  }
  const hex = (part: number[]) => part.map(group => group.toString(16)).join(':')
  return runAt < 0 ? hex(all) : `${hex(all.slice(0, runAt))}::${hex(all.slice(runAt + runLength))}`
}
