import assert from 'node:assert/strict'
import { test } from 'node:test'
import { nodeRuntime } from '@skua-mq/runtime'
import { startStandalone } from '../../src/index.ts'

const host = '127.0.0.1'

test('a port for gRPC that nobody asked for is done without where somebody has it; one that was asked for is not', async () => {
  const taken = await nodeRuntime().net.listen({ host, port: 0 }, socket => socket.destroy())
  const grpcPort = taken.address.port
  const skua = await startStandalone({ store: 'memory', port: 0, grpcPort, grpcIsOptional: true })
  assert.equal(skua.grpcAddr, undefined)
  await skua.stop()
  const nameServerPort = 0
  await assert.rejects(startStandalone({ store: 'memory', port: 0, nameServerPort, grpcPort }), { code: 'EADDRINUSE' })
  await taken.close()
  const open = await startStandalone({ store: 'memory', port: 0, grpcPort, grpcIsOptional: true })
  assert.equal(open.grpcAddr, `${host}:${grpcPort}`)
  await open.stop()
})
