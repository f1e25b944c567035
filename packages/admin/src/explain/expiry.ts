import { parseOffsetMessageId, parseUniqueId } from '@skua-mq/protocol'
import { brokerRuntimeInfo } from '../broker.ts'
import { type ClusterBroker, clusterBrokers } from '../cluster.ts'
import { each } from '../each.ts'
import { AdminError } from '../error.ts'
import type { AdminSession } from '../session.ts'
import { timeText } from '../time-text.ts'

/** Where the log of a broker begins. */
interface LogBegin {
  readonly broker: ClusterBroker
  readonly minOffset: number
  /** Store time of its oldest message, ms since 1970; 0 without one. */
  readonly oldestMs: number
}

/** Why a message that is not found was there once; undefined where nothing says that it was. */
export async function expiryOf(session: AdminSession, id: string): Promise<string | undefined> {
  const begins = await logBegins(session)
  const place = parseOffsetMessageId(id)
  const host = place?.address.includes(':') ? `[${place.address}]` : place?.address
  const named = begins.find(({ broker }) => broker.address === `${host}:${place?.port}`)
  if (place !== undefined && named !== undefined) {
    if (place.physicalOffset >= named.minOffset) return undefined
    const at = `offset ${place.physicalOffset} of the log of ${named.broker.brokerName}`
    return `it expired: it was at ${at}, which begins at ${named.minOffset} by now`
  }
  const born = parseUniqueId(id, session.runtime.clock.now())?.bornAtMs
  const since = begins.find(({ minOffset, oldestMs }) => minOffset > 0 && born !== undefined && born < oldestMs)
  if (since === undefined) return undefined
  const oldest = `the oldest message of ${since.broker.brokerName} is of ${timeText(since.oldestMs)}`
  return `it expired, or never arrived: its id was made at ${timeText(born!)}, and ${oldest}`
}

async function logBegins(session: AdminSession): Promise<LogBegin[]> {
  const masters = (await clusterBrokers(session)).filter(({ brokerId }) => brokerId === 0)
  const begins = await each(masters, async broker => {
    try {
      const info = await brokerRuntimeInfo(session, broker.address)
      const number = (key: string): number => Number.parseInt(info[key] ?? '', 10)
      return [{ broker, minOffset: number('commitLogMinOffset'), oldestMs: number('earliestMessageTimeStamp') }]
    } catch (error) {
      if (error instanceof AdminError) return []
      throw error
    }
  })
  return begins.flat()
}
