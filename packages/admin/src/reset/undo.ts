import { clusterBrokers } from '../cluster.ts'
import { each } from '../each.ts'
import { groupOffset, queueEnd } from '../offset.ts'
import type { OffsetMove } from '../offset-history.ts'
import type { AdminSession } from '../session.ts'
import type { PlannedQueue } from './plan.ts'

/** Moves by the same one with the same request belong together while no more time than this lies between two. */
const togetherMs = 10_000

/** The moves that were made last, together: one reset moves many queues, each once. */
export function lastMoves(moves: readonly OffsetMove[]): OffsetMove[] {
  const last = moves.at(-1)
  const found: OffsetMove[] = []
  const queues = new Set<string>()
  if (last === undefined) return found
  for (const move of [...moves].reverse()) {
    if (sourceOf(move) !== sourceOf(last)) break
    if ((found.at(-1)?.atMs ?? last.atMs) - move.atMs > togetherMs || queues.has(queueOf(move))) break
    queues.add(queueOf(move))
    found.push(move)
  }
  return found.reverse()
}

/** Who and by what; a tool has another port at each connection, and one port at each broker. */
const sourceOf = ({ who, request }: OffsetMove): string => `${who.replace(/:\d+$/, '')}\n${request}`

const queueOf = ({ address, topic, queueId }: OffsetMove): string => `${address}\n${topic}\n${queueId}`

/** Where each queue of these moves stood before; `kept` are those that had no offset. */
export async function undoPlan(
  session: AdminSession,
  group: string,
  moves: readonly OffsetMove[],
): Promise<{ readonly queues: readonly PlannedQueue[]; readonly kept: number }> {
  const names = new Map((await clusterBrokers(session)).map(({ address, brokerName }) => [address, brokerName]))
  const queues = await each(moves, async ({ address, topic, queueId, from, to: went }) => {
    if (from === undefined) return undefined
    const place = { address, topic, queueId }
    const [begin, end] = [await queueEnd(session, place, 'min'), await queueEnd(session, place, 'max')]
    const stands = (await groupOffset(session, place, group)) ?? null
    const to = Math.min(end, Math.max(begin, before(from, went, stands)))
    return { ...place, brokerName: names.get(address) ?? address, from: stands, to, first: begin, end }
  })
  const known = queues.filter(queue => queue !== undefined)
  return { queues: known, kept: queues.length - known.length }
}

/** After a move back nobody consumes again what it consumed since; after a move forward nothing stays left out. */
function before(from: number, to: number | undefined, stands: number | null): number {
  if (stands === null || to === undefined) return from
  return to < from ? Math.max(from, stands) : Math.min(from, stands)
}
