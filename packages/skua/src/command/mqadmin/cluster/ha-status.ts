import { brokersAt, each, haStatus } from '@skua-mq/admin'
import type { HaStatus } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import { whereFlags, whole } from '../frame/flag.ts'
import { type Context, stream, whereOf } from '../frame/subcommand.ts'
import { type Block, record, table } from '../frame/table.ts'
import { timeText } from '../frame/time-text.ts'

const flags = { ...whereFlags(), interval: whole('i', 'interval', 'again and again, after so many seconds') }

interface At {
  readonly address: string
  readonly status: HaStatus
}

export const haStatusOf = stream({
  requests: '907; -c: 106',
  flags,
  stream: async function* (context: Context<typeof flags>) {
    const { session, flags: given } = context
    yield await statusOf(context)
    while (given.interval !== undefined) {
      await delay(session.runtime.clock, Math.max(1, given.interval) * 1000)
      yield await statusOf(context)
    }
  },
  show: (all: readonly At[]) => all.flatMap(at => (at.status.master ? ofMaster(at) : ofSlave(at))),
})

/** Slaves of a cluster, too, each in its own words. */
async function statusOf({ session, flags: given }: Context<typeof flags>): Promise<At[]> {
  const addresses = await brokersAt(session, whereOf(given))
  return each(addresses, async address => ({ address, status: await haStatus(session, address) }))
}

const kilobytes = (bytes: number): string => (bytes / 1024).toFixed(2)

function ofMaster({ address, status }: At): Block[] {
  const slaves = status.haConnectionInfo
  return [
    record([
      ['#MasterAddr', address],
      ['#MasterCommitLogMaxOffset', status.masterCommitLogMaxOffset],
      ['#SlaveNum', slaves.length],
      ['#InSyncSlaveNum', status.inSyncSlaveNums],
    ]),
    table(
      [
        { title: '#SlaveAddr', cell: slave => slave.addr },
        { title: '#SlaveAckOffset', cell: slave => slave.slaveAckOffset, right: true },
        { title: '#Diff', cell: slave => slave.diff, right: true },
        { title: '#TransferSpeed(KB/s)', cell: slave => kilobytes(slave.transferredByteInSecond), right: true },
        { title: '#Status', cell: slave => (slave.inSync ? 'OK' : 'Fall Behind'), right: true },
        { title: '#TransferFromWhere', cell: slave => slave.transferFromWhere, right: true },
      ],
      slaves,
    ),
  ]
}

function ofSlave({ status: { haClientRuntimeInfo: link } }: At): Block[] {
  return [
    record([
      ['#MasterAddr', link.masterAddr],
      ['#CommitLogMaxOffset', link.maxOffset],
      ['#TransferSpeed(KB/s)', kilobytes(link.transferredByteInSecond)],
      ['#LastReadTime', timeText(link.lastReadTimestamp)],
      ['#LastWriteTime', timeText(link.lastWriteTimestamp)],
      ['#MasterFlushOffset', link.masterFlushOffset],
    ]),
  ]
}
