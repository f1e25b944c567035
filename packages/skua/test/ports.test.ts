import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Listener, type Net, NetError, nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../src/index.ts'

const host = '127.0.0.1'
const { net } = nodeRuntime()

test('a group of ports is free for all who were promised it', async () => {
  const { broker, nameServer } = await freePorts(net, host)
  const held: Listener[] = []
  for (const port of [broker - 2, broker, broker + 1, nameServer])
    held.push(await net.listen({ host, port }, socket => socket.destroy()))
  await Promise.all(held.map(listener => listener.close()))
})

test('it is found also where each port that systems give to those who connect has a taken neighbour', async () => {
  const crowded: Net = {
    connect: (to, options) => net.connect(to, options),
    ownAddresses: () => net.ownAddresses(),
    resolve: name => net.resolve(name),
    listen: (address, accept) => {
      const isNeighbour = address.port > 32_000
      if (isNeighbour) return Promise.reject(new NetError('EADDRINUSE', 'taken by a connection that has ended'))
      return net.listen(address, accept)
    },
  }
  const { broker } = await freePorts(crowded, host)
  assert.ok(broker < 32_000)
})
