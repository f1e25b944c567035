import type { ServerResponse } from 'node:http'
import type { Clock } from '@skua-mq/runtime'

/** How long somebody may leave unread what was sent before the connection is closed, ms. */
export const patienceMs = 60_000
/** What is written at once, so that somebody who reads slowly is told from somebody who does not. */
const sliceBytes = 64 * 1024

/** Until what was written is taken, or nobody is there any more. Leaves no listener behind. */
function taken(response: ServerResponse, clock: Clock): Promise<void> {
  if (response.destroyed || !response.writableNeedDrain) return Promise.resolve()
  return new Promise(resolve => {
    const end = () => {
      timer.cancel()
      response.off('drain', end)
      response.off('close', end)
      resolve()
    }
    const timer = clock.after(patienceMs, () => {
      response.destroy()
      end()
    })
    response.on('drain', end)
    response.on('close', end)
  })
}

/** Writes and waits for the reader; one who does not read is left. */
export async function writeTo(response: ServerResponse, clock: Clock, bytes: string | Buffer): Promise<void> {
  if (typeof bytes === 'string' || bytes.length <= sliceBytes) {
    if (!response.destroyed && !response.write(bytes)) await taken(response, clock)
    return
  }
  for (let at = 0; at < bytes.length && !response.destroyed; at += sliceBytes)
    if (!response.write(bytes.subarray(at, at + sliceBytes))) await taken(response, clock)
}
