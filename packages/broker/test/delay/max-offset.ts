import { getMaxOffset } from '@skua-mq/protocol'
import type { Peer } from '../world.ts'

/** The end of a queue as a client learns it. */
export const maxOffset = async (peer: Peer, topic: string, queueId: number): Promise<number> => {
  const reply = await peer.ask(getMaxOffset, { topic, queueId })
  return Number(reply.header?.offset)
}
