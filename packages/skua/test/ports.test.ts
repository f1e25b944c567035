import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Listener, type Net, NetError, nodeRuntime } from '@skua-mq/runtime'
import { freePorts, startStandalone } from '../src/index.ts'

const host = '127.0.0.1'
const { net } = nodeRuntime()

test('a group of ports is free for all who were promised it', async () => {
  const { broker, nameServer } = await freePorts(net, host)
  const held: Listener[] = []
  for (const port of [broker - 2, broker, broker + 1, nameServer])
    held.push(await net.listen({ host, port }, socket => socket.destroy()))
  await Promise.all(held.map(listener => listener.close()))
})

test('it lies below what systems give to those who connect, where any connection may take it', async () => {
  for (let i = 0; i < 20; i++) {
    const { broker, nameServer } = await freePorts(net, host)
    for (const port of [broker + 1, broker - 2, nameServer]) assert.ok(port >= 10_000 && port < 32_768, `${port}`)
  }
})

test('a broker on free ports starts though somebody takes them between their finding and its start', async () => {
  const asked = new Map<number, number>()
  let taken = 0
  const stealing: Net = {
    connect: (to, options) => net.connect(to, options),
    ownAddresses: () => net.ownAddresses(),
    resolve: name => net.resolve(name),
    listen: (address, accept) => {
      const times = (asked.get(address.port) ?? 0) + 1
      asked.set(address.port, times)
      if (address.port === 0 || times === 1 || taken === 3) return net.listen(address, accept)
      taken++
      return Promise.reject(new NetError('EADDRINUSE', 'somebody was faster'))
    },
  }
  const skua = await startStandalone({ store: 'memory', port: 0, runtime: { net: stealing } })
  await skua.stop()
  assert.equal(taken, 3)
})

test('ports that were asked for are not exchanged for others', async () => {
  const { broker: port, nameServer: nameServerPort } = await freePorts(net, host)
  const listener = await net.listen({ host, port }, socket => socket.destroy())
  await assert.rejects(startStandalone({ store: 'memory', port, nameServerPort }), /the address is in use/)
  await listener.close()
})
