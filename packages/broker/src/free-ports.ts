import { type Listener, type Net, NetError } from '@skua-mq/runtime'

/** How often a group of neighbouring ports is tried. */
const maxTries = 50

/**
 * Below what systems give to those who connect (from 32768 on, or 49152). There any connection of any process may get
 * the very port between the moment it was found free and the moment it is listened at; and where thousands of
 * connections have just ended, no neighbours are free for a minute.
 */
const quietPorts = { from: 10_000, groups: 5000, step: 4 }

export interface FreePorts {
  readonly broker: number
  readonly nameServer: number
}

/** Free ports: p, p-2 and p+1 for the broker, p-1 for the name server. Somebody else may take them in between. */
export async function freePorts(net: Net, host: string): Promise<FreePorts> {
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const any = await anyPort(net, host)
    const first = quietPorts.from + (any % quietPorts.groups) * quietPorts.step
    if (await areFree(net, host, first, quietPorts.step)) return { broker: first + 2, nameServer: first + 1 }
  }
  throw new NetError('EADDRINUSE', `no free group of ports on ${host} in ${maxTries} tries`)
}

/** One that the system chooses: another one at each call, which spreads the groups. */
async function anyPort(net: Net, host: string): Promise<number> {
  const listener = await listenAt(net, host, 0)
  await listener.close()
  return listener.address.port
}

async function areFree(net: Net, host: string, first: number, count: number): Promise<boolean> {
  const held: Listener[] = []
  try {
    for (let port = first; port < first + count; port++) held.push(await listenAt(net, host, port))
    return true
  } catch {
    return false
  } finally {
    await Promise.all(held.map(listener => listener.close()))
  }
}

function listenAt(net: Net, host: string, port: number): Promise<Listener> {
  return net.listen({ host, port }, socket => socket.destroy())
}
