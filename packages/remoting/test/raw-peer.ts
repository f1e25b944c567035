import { type Command, decodeFrame, encodeFrame, FrameParser } from '@skua-mq/protocol'
import type { SimRuntime } from '@skua-mq/runtime'

export const port = 10911

/** A peer that speaks bytes, on the host of the server. */
export async function rawPeer(runtime: SimRuntime) {
  const socket = await runtime.clock.until(runtime.net.connect({ host: runtime.network.addressOf('host'), port }))
  const replies: Command[] = []
  const state = { closed: false }
  const parser = new FrameParser()
  socket.start({
    data: chunk =>
      parser.push(chunk, (bytes, start, end) => {
        const copy = Buffer.from(bytes.subarray(start, end))
        replies.push(decodeFrame(copy, 0, copy.length))
      }),
    drained: () => {},
    closed: () => {
      state.closed = true
    },
  })
  return { socket, replies, state }
}

/** QUERY_CONSUMER_OFFSET (14). */
export const ask = (opaque: number, change: Partial<Command> = {}): Buffer =>
  encodeFrame({
    code: 14,
    language: 0,
    version: 409,
    opaque,
    flag: 0,
    extFields: { consumerGroup: 'g', topic: 't', queueId: String(opaque) },
    form: 0,
    ...change,
  })
