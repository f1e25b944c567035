import { type Listener, type Net, NetError } from '@skua-mq/runtime'

/** How often a group of neighbouring ports is tried. */
const maxTries = 50

/**
 * Below what systems give to those who connect (from 32768 on, or 49152): where thousands of connections have just
 * ended, each of their ports waits for a minute, and no three neighbours are free.
 */
const quietPorts = { from: 10_002, groups: 5000, step: 4 }

export interface FreePorts {
  readonly broker: number
  readonly nameServer: number
}

/** Free ports: p, p-2 and p+1 for the broker, another one for the name server. Somebody else may take them in between. */
export async function freePorts(net: Net, host: string): Promise<FreePorts> {
  for (let attempt = 0; attempt < maxTries; attempt++) {
    const any = await portOf(net, host)
    const broker = attempt % 2 === 0 ? any : quietPorts.from + (any % quietPorts.groups) * quietPorts.step
    const found = await tryGroup(net, host, broker)
    if (found !== undefined) return found
  }
  throw new NetError('EADDRINUSE', `no free group of ports on ${host} in ${maxTries} tries`)
}

async function portOf(net: Net, host: string): Promise<number> {
  const listener = await listenAt(net, host, 0)
  await listener.close()
  return listener.address.port
}

/** Undefined where one of them is taken. */
async function tryGroup(net: Net, host: string, broker: number): Promise<FreePorts | undefined> {
  const held: Listener[] = []
  try {
    for (const port of [broker - 2, broker, broker + 1, 0]) held.push(await listenAt(net, host, port))
    return { broker, nameServer: held.at(-1)?.address.port ?? 0 }
  } catch {
    return undefined
  } finally {
    await Promise.all(held.map(listener => listener.close()))
  }
}

function listenAt(net: Net, host: string, port: number): Promise<Listener> {
  return net.listen({ host, port }, socket => socket.destroy())
}
