import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Driver, type DriverOptions } from './driver.ts'
import { cached, command } from './toolchain.ts'

const home = join(dirname(fileURLToPath(import.meta.url)), '..', 'node-grpc')

/** Where it and what it needs are; its version is pinned in tools/interop/node-grpc. */
export async function grpcNodeModules(): Promise<string> {
  const lock = readFileSync(join(home, 'package-lock.json'))
  const digest = createHash('sha256').update(lock).digest('hex').slice(0, 12)
  const dir = await cached(`node-grpc-${digest}`, async target => {
    for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(home, name), join(target, name))
    await command('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: target })
  })
  return join(dir, 'node_modules')
}

/** The official gRPC client for Node behind the driver. */
export async function grpcNodeClient(options: DriverOptions = {}): Promise<Driver> {
  const modules = await grpcNodeModules()
  return new Driver({ ...options, file: process.execPath, args: () => [join(home, 'driver.cjs'), modules] })
}
