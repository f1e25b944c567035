import assert from 'node:assert/strict'
import { connect, type Socket } from 'node:net'
import { test } from 'node:test'
import { getAllTopicConfig } from '@skua-mq/protocol'
import { nodeRuntime } from '@skua-mq/runtime'
import { ok, RemotingServer, route } from '../src/index.ts'
import { ask } from './raw-peer.ts'

const host = '127.0.0.1'
const answerBytes = 12 * 1024 * 1024

/** Over TCP, since what a kernel takes at once no simulation knows: a server that owes a peer an answer of 12 MiB. */
async function owing(): Promise<{ server: RemotingServer; peer: Socket }> {
  const runtime = nodeRuntime()
  let answered = () => {}
  const isAnswered = new Promise<void>(resolve => {
    answered = resolve
  })
  const routes = [
    route(getAllTopicConfig, () => {
      answered()
      return ok({}, Buffer.alloc(answerBytes))
    }),
  ]
  const server = new RemotingServer({ ...runtime, name: 'test', listen: [{ host, port: 0 }], routes })
  await server.start()
  const peer = connect({ host, port: server.addresses[0]?.port ?? 0 })
  peer.on('error', () => {})
  peer.pause()
  peer.write(ask(1, { code: getAllTopicConfig.code, extFields: {} }))
  await isAnswered
  return { server, peer }
}

test('a server that stops sends the answers that it owes, though the kernel took only a part at once', async () => {
  const { server, peer } = await owing()
  const stopped = server.stop()
  let bytes = 0
  peer.on('data', chunk => {
    bytes += chunk.length
  })
  const ended = new Promise(resolve => peer.once('close', resolve))
  peer.resume()
  await stopped
  await ended
  assert.ok(bytes > answerBytes, `${bytes} bytes came`)
})

test('it does not wait long for a peer that never reads', async () => {
  const { server, peer } = await owing()
  const began = performance.now()
  await server.stop()
  assert.ok(performance.now() - began < 5000)
  peer.destroy()
})
