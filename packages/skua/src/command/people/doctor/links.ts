import { AdminError, type AdminSession, type Advertised, each } from '@skua-mq/admin'
import { getAllTopicConfig, getMaxOffset, selfTestTopic } from '@skua-mq/protocol'

/** How fast requests and their bytes get to a broker and back. */
export interface Link {
  readonly name: string
  readonly address: string
  /** Of a request that a broker answers at once, ms; null where it does not answer. */
  readonly medianMs: number | null
  readonly maxMs: number | null
  /** Bytes a second; down is null where the broker has nothing large to tell. */
  readonly up: number | null
  readonly down: number | null
  readonly problem?: string
}

const roundTrips = 20
/** Below the 4 MiB that brokers take in a message. */
const bodyBytes = 1024 * 1024
const bodies = 8
/** Answers that are smaller measure the round trip, not the line. */
const leastDownBytes = 64 * 1024

/** Each broker by itself, one after another: they would share the line. */
export async function measureLinks(session: AdminSession, brokers: readonly Advertised[]): Promise<Link[]> {
  const links: Link[] = []
  for (const broker of brokers) links.push(await measureLink(session, broker))
  return links
}

async function measureLink(session: AdminSession, { name, address }: Advertised): Promise<Link> {
  const { clock } = session.runtime
  const timed = async (ask: () => Promise<unknown>): Promise<number> => {
    const begun = clock.monotonic()
    await ask()
    return clock.monotonic() - begun
  }
  try {
    // The first one connects.
    await askSmall(session, address)
    const trips: number[] = []
    for (let i = 0; i < roundTrips; i++) trips.push(await timed(() => askSmall(session, address)))
    trips.sort((a, b) => a - b)
    const bytes = Buffer.alloc(bodyBytes)
    const upMs = await timed(() => each(Array.from({ length: bodies }), () => askSmall(session, address, bytes)))
    return {
      name,
      address,
      medianMs: round(trips[roundTrips / 2]!),
      maxMs: round(trips.at(-1)!),
      up: rateOf(bodies * bodyBytes, upMs),
      down: await measureDown(session, address, timed),
    }
  } catch (error) {
    if (!(error instanceof AdminError)) throw error
    return { name, address, medianMs: null, maxMs: null, up: null, down: null, problem: error.message }
  }
}

/** Nothing is changed by it, and a body that it does not want is read and dropped. */
async function askSmall(session: AdminSession, address: string, bytes?: Uint8Array): Promise<void> {
  try {
    const header = { topic: selfTestTopic, queueId: 0 }
    // Bodies may take their time on a slow line.
    const timeoutMs = (bytes === undefined ? 1 : 6) * session.timeoutMs
    await session.ask(address, { spec: getMaxOffset, header, bytes, timeoutMs })
  } catch (error) {
    // A refusal is an answer, too.
    if (!(error instanceof AdminError && error.code === 'REFUSED')) throw error
  }
}

/** By the table of topics, the largest thing that every broker tells. */
async function measureDown(
  session: AdminSession,
  address: string,
  timed: (ask: () => Promise<unknown>) => Promise<number>,
): Promise<number | null> {
  let bytes = 0
  const ms = await timed(async () => {
    const reply = await session.ask(address, { spec: getAllTopicConfig, allow: refusals })
    bytes = reply.body?.length ?? 0
  })
  return bytes < leastDownBytes ? null : rateOf(bytes, ms)
}

/** Whoever may not see the table is not told. */
const refusals = [1, 16]

const rateOf = (bytes: number, ms: number): number => Math.round((bytes * 1000) / Math.max(ms, 0.001))
const round = (ms: number): number => Math.round(ms * 100) / 100
