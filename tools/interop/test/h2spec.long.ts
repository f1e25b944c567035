import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { createServer } from 'node:http2'
import type { AddressInfo } from 'node:net'
import { join } from 'node:path'
import { test } from 'node:test'
import { promisify } from 'node:util'
import { cached, command, skipWithout } from '../src/toolchain.ts'
import { startGrpcWorld } from './grpc-world.ts'

/** v2.2.1, and what it needed then. */
const h2spec = 'github.com/summerwind/h2spec/cmd/h2spec@v2.2.1+incompatible'
const run = promisify(execFile)

/** Cases that pass of 145; those of closed streams go by which of two frames is first. */
async function passed(file: string, port: string): Promise<number> {
  const options = ['-h', '127.0.0.1', '-p', port, '-o', '1']
  // It ends with 1 where a case fails.
  const { stdout } = await run(file, options).catch((error: { stdout: string }) => error)
  const [, tests, count] = /(\d+) tests, (\d+) passed/.exec(stdout) ?? []
  assert.equal(tests, '145', stdout)
  return Number(count)
}

/** The best of three rounds. */
async function best(file: string, port: string): Promise<number> {
  const rounds = [await passed(file, port), await passed(file, port), await passed(file, port)]
  return Math.max(...rounds)
}

test('h2spec finds no more to blame at the gRPC port than at bare node:http2', {
  skip: skipWithout('go'),
  timeout: 600_000,
}, async t => {
  const dir = await cached('h2spec-2.2.1', async target => {
    await command('go', ['install', h2spec], { env: { ...process.env, GOBIN: target } })
  })
  const file = join(dir, 'h2spec')
  const bare = createServer()
  bare.on('stream', stream => {
    stream.on('error', () => {})
    stream.respond({ ':status': 200 })
    stream.end('hello')
  })
  bare.on('sessionError', () => {})
  await new Promise<void>(resolve => bare.listen(0, '127.0.0.1', resolve))
  const world = await startGrpcWorld()
  try {
    const ours = await best(file, world.grpcAddr.split(':')[1] ?? '')
    const theirs = await best(file, String((bare.address() as AddressInfo).port))
    t.diagnostic(`${ours} of 145 here, ${theirs} at bare node:http2`)
    assert.ok(ours >= theirs, `${ours} < ${theirs}`)
  } finally {
    bare.close()
    await world.stop()
  }
})
