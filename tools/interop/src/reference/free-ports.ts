import { createServer, type Server } from 'node:net'

const listen = (port: number) =>
  new Promise<Server>((resolve, reject) => {
    const server = createServer()
    server.once('error', reject)
    server.listen(port, '127.0.0.1', () => resolve(server))
  })
const portOf = (server: Server): number => (server.address() as { port: number }).port
const close = (server: Server) => new Promise<void>(resolve => server.close(() => resolve()))

/** A free port whose neighbours p-2 (second listener) and p+1 (replication) are free as well. */
export async function freeBrokerPort(): Promise<number> {
  for (let attempt = 0; attempt < 50; attempt++) {
    const held = [await listen(0)]
    const port = portOf(held[0] as Server)
    try {
      held.push(await listen(port - 2), await listen(port + 1))
      return port
    } catch {
      // A neighbour is taken.
    } finally {
      await Promise.all(held.map(close))
    }
  }
  throw new Error('no three free ports for a broker')
}

export async function freePort(): Promise<number> {
  const server = await listen(0)
  const port = portOf(server)
  await close(server)
  return port
}
