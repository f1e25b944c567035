import { connect } from 'node:net'
import { type Command, decodeFrame, encodeFrame, FrameParser, HeaderForm } from '@skua-mq/protocol'

/** One request to any RocketMQ server on a connection of its own; rejects when no reply comes within 3 s. */
export function ask(address: string, request: { code: number; extFields?: Record<string, string>; body?: Buffer }) {
  return new Promise<Command>((resolve, reject) => {
    const colon = address.lastIndexOf(':')
    const socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon))
    const parser = new FrameParser()
    socket.setTimeout(3000, () => socket.destroy(new Error(`${address} did not answer`)))
    socket.once('error', reject)
    socket.once('close', () => reject(new Error(`${address} closed the connection`)))
    socket.once('connect', () =>
      socket.write(
        encodeFrame({
          ...{ language: 0, version: 399, opaque: 1, flag: 0, form: HeaderForm.json, extFields: {} },
          ...request,
        }),
      ),
    )
    socket.on('data', chunk =>
      parser.push(chunk, (bytes, start, end) => {
        resolve(decodeFrame(Buffer.from(bytes.subarray(start, end)), 0, end - start))
        socket.destroy()
      }),
    )
  })
}
