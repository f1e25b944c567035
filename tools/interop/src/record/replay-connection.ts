import { connect, type Socket } from 'node:net'
import { type Command, decodeFrame, FrameParser, isResponse } from '@skua-mq/protocol'

/** A client's side of one recorded connection, to a server of ours. */
export class ReplayConnection {
  private readonly socket: Socket
  private readonly arrived: Command[] = []
  private changed: () => void = () => {}

  constructor(address: string) {
    const colon = address.lastIndexOf(':')
    const parser = new FrameParser()
    this.socket = connect(Number(address.slice(colon + 1)), address.slice(0, colon))
    this.socket.setNoDelay(true)
    this.socket.on('error', () => {})
    this.socket.on('data', chunk => {
      parser.push(chunk, (bytes, start, end) =>
        this.arrived.push(decodeFrame(Buffer.from(bytes.subarray(start, end)), 0, end - start)),
      )
      this.changed()
    })
  }

  send(frame: Buffer): void {
    this.socket.write(frame)
  }

  /** The reply to the request with this number, however late the others are; undefined after the patience. */
  reply(opaque: number, patienceMs: number): Promise<Command | undefined> {
    return this.take(command => isResponse(command) && command.opaque === opaque, patienceMs)
  }

  /** A request of the server's. */
  request(code: number, patienceMs: number): Promise<Command | undefined> {
    return this.take(command => !isResponse(command) && command.code === code, patienceMs)
  }

  close(): void {
    this.socket.destroy()
  }

  private async take(wanted: (command: Command) => boolean, patienceMs: number): Promise<Command | undefined> {
    const end = Date.now() + patienceMs
    for (;;) {
      const at = this.arrived.findIndex(wanted)
      if (at !== -1) return this.arrived.splice(at, 1)[0]
      const left = end - Date.now()
      if (left <= 0) return undefined
      await new Promise<void>(resolve => {
        const timer = setTimeout(resolve, left)
        this.changed = () => {
          clearTimeout(timer)
          resolve()
        }
      })
    }
  }
}
