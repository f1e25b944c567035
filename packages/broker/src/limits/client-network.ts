import { encodeHost } from '@skua-mq/protocol'

/** Who has one IPv6 address has the 64 bits behind its network: they count as one address. */
export function clientNetwork(host: string): string {
  if (!host.includes(':')) return host
  const bytes = encodeHost(host, 0)
  if (bytes === undefined || bytes.length !== 20) return host
  const groups = [0, 2, 4, 6].map(at => ((bytes[at]! << 8) | bytes[at + 1]!).toString(16))
  return `${groups.join(':')}::/64`
}
