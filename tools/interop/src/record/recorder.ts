import type { FrameLine } from './frame-line.ts'
import { Tap } from './tap.ts'

export interface Recorder {
  /** What the client is to be given as its name server. */
  readonly namesrvAddr: string
  readonly brokerAddr: string
  /** Ends the proxies; answers what passed through them. */
  stop(): Promise<readonly FrameLine[]>
}

const portOf = (address: string): number => Number(address.slice(address.lastIndexOf(':') + 1))

/**
 * Proxies before a real name server and its broker. The broker's address in what the name server answers becomes the
 * proxy's; both ports have five digits, so that no length changes.
 */
export async function startRecorder(real: { namesrvAddr: string; brokerAddr: string }): Promise<Recorder> {
  const lines: FrameLine[] = []
  const began = Date.now()
  let conns = 0
  const common = (server: FrameLine['server']) => ({
    server,
    nextConn: () => ++conns,
    frame: (dir: FrameLine['dir'], conn: number, bytes: Buffer) =>
      void lines.push({ dir, server, conn, ms: Date.now() - began, frame: bytes.toString('base64') }),
  })
  const broker = new Tap({ ...common('broker'), targetPort: portOf(real.brokerAddr) })
  const advertised = `127.0.0.1:${await broker.start()}`
  if (advertised.length !== real.brokerAddr.length) throw new Error(`${advertised} does not fit ${real.brokerAddr}`)
  const names = new Tap({
    ...common('namesrv'),
    targetPort: portOf(real.namesrvAddr),
    rewrite: bytes => {
      for (let at = bytes.indexOf(real.brokerAddr); at !== -1; at = bytes.indexOf(real.brokerAddr, at + 1)) {
        bytes.write(advertised, at)
      }
    },
  })
  const namesrvAddr = `127.0.0.1:${await names.start()}`
  return {
    namesrvAddr,
    brokerAddr: advertised,
    stop: async () => {
      await Promise.all([names.stop(), broker.stop()])
      return lines
    },
  }
}
