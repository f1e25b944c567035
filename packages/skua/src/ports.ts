import { type Net, NetError } from '@skua-mq/runtime'

/** How often a pair of neighbouring ports is tried. */
const maxTries = 50

/** Free ports: p and p-2 for the broker, another one for the name server. Somebody else may take them in between. */
export async function freePorts(net: Net, host: string): Promise<{ broker: number; nameServer: number }> {
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const first = await net.listen({ host, port: 0 }, socket => socket.destroy())
    const broker = first.address.port
    try {
      const second = await net.listen({ host, port: broker - 2 }, socket => socket.destroy())
      const third = await net.listen({ host, port: 0 }, socket => socket.destroy())
      await Promise.all([second.close(), third.close()])
      return { broker, nameServer: third.address.port }
    } catch {
      // The port two below is taken: another pair may be free.
    } finally {
      await first.close()
    }
  }
  throw new NetError('EADDRINUSE', `no free pair of ports on ${host} in ${maxTries} tries`)
}
