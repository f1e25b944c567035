import { connect, createServer, type Server, type Socket } from 'node:net'
import { FrameParser } from '@skua-mq/protocol'
import type { FrameLine } from './frame-line.ts'

export interface TapOptions {
  readonly server: FrameLine['server']
  /** Port of the real server on loopback. */
  readonly targetPort: number
  /** A frame in either direction, as the client sends or gets it. */
  frame(dir: FrameLine['dir'], conn: number, bytes: Buffer): void
  nextConn(): number
  /** May change bytes of a frame on its way to the client, not its length. */
  rewrite?(bytes: Buffer): void
}

/** A TCP proxy that passes on whole frames and tells of each. One port, many connections; `stop` ends them all. */
export class Tap {
  private readonly options: TapOptions
  private readonly sockets = new Set<Socket>()
  private server: Server | undefined

  constructor(options: TapOptions) {
    this.options = options
  }

  /** Listens on loopback; answers the port. */
  start(): Promise<number> {
    return new Promise((resolve, reject) => {
      const server = createServer(client => this.join(client))
      this.server = server
      server.once('error', reject)
      server.listen(0, '127.0.0.1', () => resolve((server.address() as { port: number }).port))
    })
  }

  async stop(): Promise<void> {
    for (const socket of this.sockets) socket.destroy()
    await new Promise<void>(resolve => this.server?.close(() => resolve()) ?? resolve())
  }

  private join(client: Socket): void {
    const conn = this.options.nextConn()
    const upstream = connect(this.options.targetPort, '127.0.0.1')
    this.pass({ from: client, to: upstream, dir: '>', conn })
    this.pass({ from: upstream, to: client, dir: '<', conn })
    for (const socket of [client, upstream]) {
      this.sockets.add(socket)
      socket.setNoDelay(true)
      socket.on('error', () => {})
      socket.once('close', () => {
        this.sockets.delete(socket)
        client.destroy()
        upstream.destroy()
      })
    }
  }

  private pass({ from, to, dir, conn }: { from: Socket; to: Socket; dir: FrameLine['dir']; conn: number }): void {
    const parser = new FrameParser()
    from.on('data', chunk =>
      parser.push(chunk, (bytes, start, end) => {
        const frame = Buffer.from(bytes.subarray(start, end))
        if (dir === '<') this.options.rewrite?.(frame)
        this.options.frame(dir, conn, frame)
        to.write(frame)
      }),
    )
  }
}
