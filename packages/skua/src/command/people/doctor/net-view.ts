import { type Block, emptyLine, lines, table } from '../../mqadmin/frame/table.ts'
import type { Link } from './links.ts'
import type { MachineReport } from './machine.ts'

/** What `--net` measures. */
export interface NetReport extends MachineReport {
  readonly links: readonly Link[]
}

const units = ['B/s', 'KiB/s', 'MiB/s', 'GiB/s']

function rateText(bytesPerSecond: number | null): string | undefined {
  if (bytesPerSecond === null) return undefined
  const unit = Math.min(units.length - 1, Math.floor(Math.log2(Math.max(1, bytesPerSecond)) / 10))
  return `${(bytesPerSecond / 1024 ** unit).toFixed(unit === 0 ? 0 : 1)} ${units[unit]}`
}

/** Tables of links, interfaces and ports. */
export function netView({ links, interfaces, ports, segments, unavailable }: NetReport): Block[] {
  return [
    table(
      [
        { title: 'BROKER', cell: row => row.name },
        { title: 'ADDRESS', cell: row => row.address },
        { title: 'MEDIAN MS', cell: row => row.medianMs?.toFixed(2), right: true },
        { title: 'MAX MS', cell: row => row.maxMs?.toFixed(2), right: true },
        { title: 'UP', cell: row => rateText(row.up), right: true },
        { title: 'DOWN', cell: row => rateText(row.down), right: true },
      ],
      links,
    ),
    ...(interfaces === null ? [] : [emptyLine, interfaceTable(interfaces)]),
    ...(ports === null ? [] : [emptyLine, portTable(ports)]),
    emptyLine,
    lines(
      ...(segments === null
        ? []
        : [`TCP: ${segments.outPerSecond} segments/s sent, ${segments.retransmittedPerSecond}/s of them again`]),
      ...unavailable.map(what => `unavailable on this machine: ${what}`),
    ),
  ]
}

const interfaceTable = (rows: NonNullable<MachineReport['interfaces']>): Block =>
  table(
    [
      { title: 'INTERFACE', cell: row => row.name },
      { title: 'IN', cell: row => rateText(row.inPerSecond), right: true },
      { title: 'OUT', cell: row => rateText(row.outPerSecond), right: true },
    ],
    rows,
  )

const portTable = (rows: NonNullable<MachineReport['ports']>): Block =>
  table(
    [
      { title: 'PORT', cell: row => row.port, right: true },
      { title: 'OF', cell: row => row.server },
      {
        title: 'CONNECTIONS',
        cell: row =>
          Object.entries(row.states)
            .map(([state, count]) => `${count} ${state}`)
            .join(', ') || 'none',
      },
      { title: 'SEND QUEUE', cell: row => row.fullestSendQueue, right: true },
    ],
    rows,
  )
