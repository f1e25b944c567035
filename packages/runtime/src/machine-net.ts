/** Bytes that an interface has carried since the machine's start. */
export interface InterfaceBytes {
  readonly name: string
  readonly inBytes: number
  readonly outBytes: number
}

/** A TCP connection of this machine. */
export interface TcpConnection {
  readonly localPort: number
  readonly remotePort: number
  /** ESTABLISHED, TIME_WAIT and the like; LISTEN for what listens. */
  readonly state: string
  /** Sent, and not acknowledged by the peer. */
  readonly sendQueueBytes: number
  /** Came, and was not read. */
  readonly receiveQueueBytes: number
}

/** Segments of all TCP connections since the machine's start. */
export interface TcpSegments {
  readonly out: number
  readonly retransmitted: number
}

/** What a kernel tells of the network; a part that it does not tell is undefined. */
export interface MachineNet {
  readonly interfaces: readonly InterfaceBytes[] | undefined
  readonly connections: readonly TcpConnection[] | undefined
  readonly segments: TcpSegments | undefined
}

/** Connections that are read of a table; what is more is left out. */
export const maxConnectionsRead = 200_000

/** Of Linux's tcp_states.h, from 1 on. */
const states = [
  ...['ESTABLISHED', 'SYN_SENT', 'SYN_RECV', 'FIN_WAIT1', 'FIN_WAIT2', 'TIME_WAIT'],
  ...['CLOSE', 'CLOSE_WAIT', 'LAST_ACK', 'LISTEN', 'CLOSING', 'NEW_SYN_RECV'],
]

/** /proc/net/dev: two lines of titles, then `name: 8 figures received, 8 sent`. */
export function parseInterfaces(text: string): InterfaceBytes[] {
  return text.split('\n').flatMap(line => {
    const [, name, figures] = /^\s*([^\s:]+):\s*(.+)$/.exec(line) ?? []
    if (name === undefined || figures === undefined) return []
    const numbers = figures.trim().split(/\s+/).map(Number)
    return numbers.length < 9 ? [] : [{ name, inBytes: numbers[0]!, outBytes: numbers[8]! }]
  })
}

/** /proc/net/tcp and tcp6: `sl local:port remote:port state send:receive …`, all in hexadecimal. */
export function parseConnections(text: string): TcpConnection[] {
  const found: TcpConnection[] = []
  for (const line of text.split('\n')) {
    const match =
      /^\s*\d+: [0-9A-F]+:([0-9A-F]{4}) [0-9A-F]+:([0-9A-F]{4}) ([0-9A-F]{2}) ([0-9A-F]+):([0-9A-F]+)/i.exec(line)
    if (match === null) continue
    if (found.length >= maxConnectionsRead) break
    const [localPort, remotePort, state, send, receive] = match.slice(1).map(digits => Number.parseInt(digits, 16))
    found.push({
      localPort: localPort!,
      remotePort: remotePort!,
      state: states[state! - 1] ?? `STATE_${state}`,
      sendQueueBytes: send!,
      receiveQueueBytes: receive!,
    })
  }
  return found
}

/** /proc/net/snmp: a line of titles and one of figures for each protocol. */
export function parseSegments(text: string): TcpSegments | undefined {
  const [titles, figures] = text
    .split('\n')
    .filter(line => line.startsWith('Tcp:'))
    .map(line => line.trim().split(/\s+/))
  const figure = (title: string): number => Number(figures?.[titles?.indexOf(title) ?? -1])
  const [out, retransmitted] = [figure('OutSegs'), figure('RetransSegs')]
  return Number.isNaN(out) || Number.isNaN(retransmitted) ? undefined : { out, retransmitted }
}
