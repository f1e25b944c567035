import { type Command, decodeFrame, FrameParser } from '@skua-mq/protocol'
import { type Socket, simRuntime } from '@skua-mq/runtime'
import type { World } from './world.ts'

/** A peer that speaks bytes, for what no client would write. */
export class RawPeer {
  readonly replies: Command[] = []
  closed = false
  readonly socket: Socket
  private readonly parser = new FrameParser()

  private constructor(socket: Socket) {
    this.socket = socket
    socket.start({
      data: chunk =>
        this.parser.push(chunk, (bytes, start, end) => {
          const copy = Buffer.from(bytes.subarray(start, end))
          this.replies.push(decodeFrame(copy, 0, copy.length))
        }),
      drained: () => {},
      closed: () => {
        this.closed = true
      },
    })
  }

  static async open(world: World, name = 'raw'): Promise<RawPeer> {
    const { clock, network } = world.runtime
    const { net } = simRuntime({ seed: 3, host: name, clock, network })
    const [host = '', port = ''] = world.address.split(':')
    return new RawPeer(await world.settle(net.connect({ host, port: Number(port) })))
  }

  write(bytes: Uint8Array): void {
    this.socket.write([bytes])
  }
}

/** A frame of a JSON header, whatever its length. */
export function jsonFrame(header: string, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.from(header)
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + bytes.length + body.length, 0)
  head.writeInt32BE(bytes.length, 4)
  return Buffer.concat([head, bytes, body])
}

/** A frame of the binary form. */
export function binaryFrame(code: number, opaque: number, fields: Record<string, string>): Buffer {
  const entries = Object.entries(fields).map(([name, value]) => {
    const entry = Buffer.alloc(6 + name.length + value.length)
    entry.writeInt16BE(name.length, 0)
    entry.write(name, 2)
    entry.writeInt32BE(value.length, 2 + name.length)
    entry.write(value, 6 + name.length)
    return entry
  })
  const all = Buffer.concat(entries)
  const header = Buffer.alloc(21 + all.length)
  header.writeInt16BE(code, 0)
  header.writeInt16BE(409, 3)
  header.writeInt32BE(opaque, 5)
  header.writeInt32BE(all.length, 17)
  header.set(all, 21)
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + header.length, 0)
  head.writeUInt32BE(0x100_0000 + header.length, 4)
  return Buffer.concat([head, header])
}

/** Fields of a pull (11). */
export function pullFields(changes: Record<string, string> = {}): Record<string, string> {
  return {
    consumerGroup: 'g',
    topic: 'T',
    queueId: '0',
    queueOffset: '0',
    maxMsgNums: '32',
    sysFlag: '4',
    commitOffset: '0',
    suspendTimeoutMillis: '15000',
    subVersion: '0',
    subscription: '*',
    ...changes,
  }
}

export const pullFrame = (opaque: number, changes: Record<string, string> = {}): Buffer =>
  jsonFrame(
    `{"code":11,"extFields":${JSON.stringify(pullFields(changes))},"flag":0,"language":"JAVA","opaque":${opaque},"version":409}`,
  )
