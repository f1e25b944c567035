import { type Net, NetError } from '@skua-mq/runtime'

/** How often a group of neighbouring ports is tried. */
const maxTries = 50

/** Free ports: p, p-2 and p+1 for the broker, another one for the name server. Somebody else may take them in between. */
export async function freePorts(net: Net, host: string): Promise<{ broker: number; nameServer: number }> {
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const first = await net.listen({ host, port: 0 }, socket => socket.destroy())
    const broker = first.address.port
    try {
      const second = await net.listen({ host, port: broker - 2 }, socket => socket.destroy())
      const ha = await net
        .listen({ host, port: broker + 1 }, socket => socket.destroy())
        .catch(async error => {
          await second.close()
          throw error
        })
      const third = await net.listen({ host, port: 0 }, socket => socket.destroy())
      await Promise.all([second.close(), ha.close(), third.close()])
      return { broker, nameServer: third.address.port }
    } catch {
      // A neighbour is taken: others may be free.
    } finally {
      await first.close()
    }
  }
  throw new NetError('EADDRINUSE', `no free group of ports on ${host} in ${maxTries} tries`)
}
