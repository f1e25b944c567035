import { type Finding, hint } from '@skua-mq/admin'
import { type Clock, delay, type MachineNet, type TcpConnection } from '@skua-mq/runtime'

/** Connections of this machine to or from a port of the cluster. */
export interface PortUse {
  readonly port: number
  /** Whose it is: `broker-a`, `name server`. */
  readonly server: string
  /** How many in each state. */
  readonly states: Readonly<Record<string, number>>
  /** Bytes that the peers have not taken, the fullest one. */
  readonly fullestSendQueue: number
  /** Connections whose send queue is full. */
  readonly fullSendQueues: number
}

/** What this machine's kernel tells; a part that it does not tell is null, and named. */
export interface MachineReport {
  readonly interfaces:
    | readonly { readonly name: string; readonly inPerSecond: number; readonly outPerSecond: number }[]
    | null
  readonly ports: readonly PortUse[] | null
  readonly segments: { readonly outPerSecond: number; readonly retransmittedPerSecond: number } | null
  readonly unavailable: readonly string[]
}

/** From here on a queue is called full: more than what a line holds at 1 Gbit/s and 0.5 ms. */
const fullBytes = 64 * 1024
/** Retransmitted segments of a hundred, and how many a second count at all. */
const lossy = { share: 0.01, perSecond: 5 }

/** Reads twice, with a second between. */
export async function machineReport(
  read: () => MachineNet,
  clock: Clock,
  servers: ReadonlyMap<number, string>,
): Promise<MachineReport> {
  const [before, begun] = [read(), clock.monotonic()]
  await delay(clock, 1000)
  const [after, seconds] = [read(), (clock.monotonic() - begun) / 1000]
  const per = (from: number, to: number): number => Math.round((to - from) / seconds)
  const interfaces = after.interfaces?.map(({ name, inBytes, outBytes }) => {
    const old = before.interfaces?.find(one => one.name === name) ?? { inBytes, outBytes }
    return { name, inPerSecond: per(old.inBytes, inBytes), outPerSecond: per(old.outBytes, outBytes) }
  })
  const [old, now] = [before.segments, after.segments]
  const segments =
    old === undefined || now === undefined
      ? null
      : { outPerSecond: per(old.out, now.out), retransmittedPerSecond: per(old.retransmitted, now.retransmitted) }
  return {
    interfaces: interfaces ?? null,
    ports: after.connections === undefined ? null : portUses(after.connections, servers),
    segments,
    unavailable: [
      ...(interfaces === undefined ? ['bytes of interfaces (/proc/net/dev)'] : []),
      ...(after.connections === undefined ? ['connections (/proc/net/tcp)'] : []),
      ...(segments === null ? ['retransmits (/proc/net/snmp)'] : []),
    ],
  }
}

function portUses(connections: readonly TcpConnection[], servers: ReadonlyMap<number, string>): PortUse[] {
  return [...servers].map(([port, server]) => {
    const own = connections.filter(({ localPort, remotePort }) => localPort === port || remotePort === port)
    const states: Record<string, number> = {}
    for (const { state } of own) states[state] = (states[state] ?? 0) + 1
    // What listens counts there who was not accepted yet.
    const queues = own.filter(({ state }) => state !== 'LISTEN').map(({ sendQueueBytes }) => sendQueueBytes)
    return {
      port,
      server,
      states,
      fullestSendQueue: queues.reduce((most, bytes) => Math.max(most, bytes), 0),
      fullSendQueues: queues.filter(bytes => bytes >= fullBytes).length,
    }
  })
}

/** What the kernel's figures say is wrong. */
export function machineFindings({ ports, segments }: MachineReport): Finding[] {
  const full = (ports ?? []).filter(({ fullSendQueues }) => fullSendQueues > 0)
  const findings = full.map(({ port, server, fullSendQueues, fullestSendQueue }) =>
    hint(
      'send queues',
      `${fullSendQueues} connections of port ${port} (${server}) have a full send queue, the fullest ${fullestSendQueue} bytes: their peer does not read or the line is too slow; see whether it hangs`,
    ),
  )
  if (segments === null) return findings
  const { outPerSecond: out, retransmittedPerSecond: again } = segments
  if (again < lossy.perSecond || again < out * lossy.share) return findings
  const sentence = `this machine sends ${again} of ${out} TCP segments a second again: the network loses packets; look at its interfaces, cables and policers`
  return [...findings, hint('retransmits', sentence)]
}
