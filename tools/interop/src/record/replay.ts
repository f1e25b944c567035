import { isResponse } from '@skua-mq/protocol'
import { compareReplies, requestName } from './compare.ts'
import { type Exchange, exchangesOf } from './exchange.ts'
import type { FrameLine } from './frame-line.ts'
import { ReplayConnection } from './replay-connection.ts'

/** Where a server of ours answers otherwise than the recorded one. */
export interface Difference {
  /** Line of the recording's file. */
  readonly line: number
  readonly code: number
  readonly request: string
  readonly what: string
}

export interface ReplayPlace {
  readonly namesrvAddr: string
  readonly brokerAddr: string
}

/** How long an answer may take that the recorded server gave. */
const replyPatienceMs = 5000
/** The client paused here, for the server's registration to reach the name server or for a hold to be over. */
const pauseFromMs = 40
const longestPauseMs = 60

/**
 * Sends a recorded client's requests, in their order and on connections as it opened them, to a fresh server of ours,
 * and compares the answers with the recorded ones. A request whose answer was recorded before the next request is
 * answered before that one is sent.
 */
export async function replay(lines: readonly FrameLine[], place: ReplayPlace): Promise<Difference[]> {
  const connections = new Map<number, ReplayConnection>()
  const connectionOf = ({ conn, server }: FrameLine): ReplayConnection => {
    const known = connections.get(conn)
    if (known !== undefined) return known
    const opened = new ReplayConnection(server === 'namesrv' ? place.namesrvAddr : place.brokerAddr)
    connections.set(conn, opened)
    return opened
  }
  const found: Difference[] = []
  let lastMs = 0
  try {
    for (const exchange of exchangesOf(lines)) {
      const { line, bytes, command } = exchange
      const pause = line.ms - lastMs
      lastMs = line.ms
      const connection = connectionOf(line)
      if (line.dir === '<') found.push(...(await expectAnswer(connection, exchange)))
      else {
        if (pause >= pauseFromMs) await new Promise(resolve => setTimeout(resolve, Math.min(pause, longestPauseMs)))
        // What the client answered to the server's own requests has a number of that server.
        if (!isResponse(command)) connection.send(bytes)
      }
    }
    return found
  } finally {
    for (const connection of connections.values()) connection.close()
  }
}

async function expectAnswer(connection: ReplayConnection, exchange: Exchange): Promise<Difference[]> {
  const { command, request, number } = exchange
  const told = (code: number, what: string): Difference => ({ line: number, code, request: requestName(code), what })
  if (!isResponse(command)) {
    const ours = await connection.request(command.code, replyPatienceMs)
    return ours === undefined ? [told(command.code, 'the server does not ask')] : []
  }
  if (request === undefined) return [told(command.code, 'a recorded reply has no request')]
  const ours = await connection.reply(command.opaque, replyPatienceMs)
  if (ours === undefined) return [told(request.code, `no reply instead of code ${command.code}`)]
  return compareReplies(request, command, ours).map(what => told(request.code, what))
}
