import assert from 'node:assert/strict'
import { execFile } from 'node:child_process'
import { copyFileSync, mkdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'
import { promisify } from 'node:util'
import { Admin } from '@skua-mq/client'
import { cached, command, skipWithout } from '../src/toolchain.ts'
import { startGrpcWorld } from './grpc-world.ts'

const home = join(dirname(fileURLToPath(import.meta.url)), '..', 'rust-grpc')
const run = promisify(execFile)

/** Builds for minutes, once. */
async function driver(): Promise<string> {
  const dir = await cached('rust-grpc-5.0.0', async target => {
    mkdirSync(join(target, 'src'), { recursive: true })
    for (const name of ['Cargo.toml', 'Cargo.lock', 'src/main.rs']) copyFileSync(join(home, name), join(target, name))
    await command('cargo', ['build', '--quiet', '--locked'], { cwd: target })
  })
  return join(dir, 'target', 'debug', 'driver')
}

test('the official gRPC client for Rust sends, receives, acknowledges and commits', {
  skip: skipWithout('rust'),
  timeout: 900_000,
}, async () => {
  const file = await driver()
  const world = await startGrpcWorld()
  try {
    await using admin = new Admin({ namesrvAddr: world.namesrvAddr })
    await admin.createTopic('Rust', { queueNum: 2 })
    await admin.createTopic('RustTx', { queueNum: 1, messageType: 'TRANSACTION' })
    const { stdout } = await run(file, [world.grpcAddr, 'Rust', 'RustTx'], { timeout: 120_000 })
    const lines = stdout.split('\n').map(line => line.split(' '))
    const ids = (word: string) => lines.filter(([first]) => first === word).map(([, id]) => id)
    assert.equal(ids('sent').length, 4)
    assert.deepEqual(ids('got').sort(), ids('sent').sort())
    const bodies = lines
      .filter(([first]) => first === 'got')
      .map(([, , attempt, ...body]) => `${attempt} ${body.join(' ')}`)
    assert.deepEqual(bodies.sort(), ['1 committed', '1 hello 0', '1 hello 1', '1 hello 2'])
  } finally {
    await world.stop()
  }
})
