import type { Address, Clock, Net } from '@skua-mq/runtime'
import { FrameReader } from './frame-reader.ts'
import { encodeReport } from './ha-frame.ts'
import { LogComparison } from './log-comparison.ts'

/** How long the master may take to send what lies within its log. */
const probeMs = 3000

/**
 * Whether a master has these bytes at this place: asked over a connection of its own, as a slave that ends there would. Throws
 * where it does not say.
 */
export async function hasBytes(
  { clock, net }: { readonly clock: Clock; readonly net: Net },
  master: Address,
  { from, own }: { readonly from: number; readonly own: Buffer },
): Promise<boolean> {
  const comparison = new LogComparison(from, own)
  const socket = await net.connect(master, { timeoutMs: probeMs })
  try {
    return await new Promise<boolean>((resolve, reject) => {
      const timer = clock.after(probeMs, () => reject(new Error(`it sends nothing of ${from}`)))
      const end = (has: boolean) => {
        timer.cancel()
        resolve(has)
      }
      const reader = new FrameReader({
        head: offset => offset === comparison.next,
        body: (_offset, bytes) => {
          if (comparison.take(bytes) === undefined) end(false)
          else if (comparison.isOver) end(true)
        },
        damaged: remark => reject(new Error(remark)),
      })
      socket.start({
        data: chunk => reader.push(chunk),
        drained: () => {},
        closed: error => {
          timer.cancel()
          reject(new Error(error?.message ?? `it closed the connection when it was asked for ${from}`))
        },
      })
      socket.write([encodeReport(from)])
    })
  } finally {
    socket.destroy()
  }
}
