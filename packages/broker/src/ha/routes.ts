import { getBrokerHaStatus, type HaStatus } from '@skua-mq/protocol'
import { ok, type Route, route } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import type { MasterLink } from './master-link.ts'
import type { SlaveProgress } from './slave-progress.ts'

export interface HaRouteParts {
  readonly clock: Pick<Clock, 'now'>
  readonly progress: Pick<SlaveProgress, 'all' | 'keepsPace'>
  readonly logEnd: () => number
  /** Of a slave. */
  readonly link: Pick<MasterLink, 'master' | 'masterEnd' | 'bytesPerSecond' | 'silence' | 'isConnected'> | undefined
}

/** 907 (admin.md 6). */
export const haRoutes = (parts: HaRouteParts): Route[] => [
  route(getBrokerHaStatus, () => ok({}, getBrokerHaStatus.replyBody!.encode(haStatus(parts)))),
]

function haStatus({ clock, progress, logEnd, link }: HaRouteParts): HaStatus {
  const end = logEnd()
  const silence = link?.silence
  const slaves = link === undefined ? [...progress.all()] : []
  const haConnectionInfo = slaves.map(slave => ({
    addr: slave.slave,
    slaveAckOffset: slave.position,
    diff: end - slave.position,
    inSync: progress.keepsPace(slave),
    transferredByteInSecond: slave.bytesPerSecond,
    transferFromWhere: slave.sentTo,
  }))
  const wallTime = (agoMs: number | undefined) => (agoMs === undefined ? 0 : Math.round(clock.now() - agoMs))
  return {
    master: link === undefined,
    masterCommitLogMaxOffset: link === undefined ? end : 0,
    inSyncSlaveNums: haConnectionInfo.filter(({ inSync }) => inSync).length,
    haConnectionInfo,
    haClientRuntimeInfo: {
      masterAddr: link?.master ?? '',
      transferredByteInSecond: link?.bytesPerSecond ?? 0,
      maxOffset: link === undefined ? 0 : end,
      lastReadTimestamp: wallTime(silence?.readMs),
      lastWriteTimestamp: wallTime(silence?.writtenMs),
      masterFlushOffset: link?.masterEnd ?? 0,
      activated: link?.isConnected ?? false,
    },
  }
}
