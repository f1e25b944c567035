import { traceTopic } from '@skua-mq/protocol'
import type { AdminSession } from '../session.ts'
import { messagesByKey } from './find.ts'
import type { FoundMessage } from './message.ts'

/** A step of a message's life, as the client that took it told the trace topic. */
export interface TraceStep {
  /** Pub: sent. Sub: consumed. EndTransaction: decided. */
  readonly type: 'Pub' | 'Sub' | 'EndTransaction'
  readonly group: string
  /** Where the client's trace came from. */
  readonly clientHost: string
  /** Milliseconds since 1970. */
  readonly atMs: number
  readonly costMs: number
  readonly status: string
}

/**
 * What became of a message, oldest step first; only of clients that trace. `topic` default RMQ_SYS_TRACE_TOPIC.
 * Errors: NOT_FOUND where the trace topic does not exist.
 */
export async function messageTrace(
  session: AdminSession,
  { msgId, topic = traceTopic }: { readonly msgId: string; readonly topic?: string | undefined },
): Promise<TraceStep[]> {
  const traces = await messagesByKey(session, { topic, key: msgId })
  return traces.flatMap(trace => stepsOf(trace, msgId)).sort((a, b) => a.atMs - b.atMs)
}

const fieldEnd = '\u0001'
const recordEnd = '\u0002'

/** Records of one trace message (client.md 13). SubBefore and SubAfter of one consumption make one step. */
function stepsOf({ body, bornHost }: FoundMessage, msgId: string): TraceStep[] {
  const clientHost = bornHost.replace(/:\d+$/, '')
  const records = body
    .toString('utf8')
    .split(recordEnd)
    .map(record => record.split(fieldEnd))
  const begun = new Map(
    records.filter(([kind, , , , , id]) => kind === 'SubBefore' && id === msgId).map(line => [line[4], line]),
  )
  const steps: TraceStep[] = []
  for (const line of records) {
    const number = (at: number): number => Number.parseInt(line[at] ?? '', 10)
    const succeeded = (at: number): string => (line[at] === 'true' ? 'success' : 'failed')
    if (line[0] === 'Pub' && line[5] === msgId) {
      const status = succeeded(line.length >= 14 ? 13 : 12)
      steps.push({ type: 'Pub', group: line[3] ?? '', clientHost, atMs: number(1), costMs: number(10), status })
    }
    if (line[0] === 'SubAfter' && line[2] === msgId) {
      const before = begun.get(line[1] ?? '')
      const atMs = line.length >= 9 ? number(7) : Number.parseInt(before?.[1] ?? '0', 10)
      const group = line[8] ?? before?.[3] ?? ''
      steps.push({ type: 'Sub', group, clientHost, atMs, costMs: number(3), status: succeeded(4) })
    }
    if (line[0] === 'EndTransaction' && line[5] === msgId) {
      const status = line[11] ?? ''
      steps.push({ type: 'EndTransaction', group: line[3] ?? '', clientHost, atMs: number(1), costMs: 0, status })
    }
  }
  return steps
}
