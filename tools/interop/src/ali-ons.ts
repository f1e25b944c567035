import { createHash } from 'node:crypto'
import { copyFileSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Driver, type DriverOptions } from './driver.ts'
import { cached, command } from './toolchain.ts'

const nodeDir = join(dirname(fileURLToPath(import.meta.url)), '..', 'node')

/** Where ali-ons and what it needs are; versions are pinned in tools/interop/node/package-lock.json. */
export async function aliOnsModules(): Promise<string> {
  const lock = readFileSync(join(nodeDir, 'package-lock.json'))
  const dir = await cached(`node-${createHash('sha256').update(lock).digest('hex').slice(0, 12)}`, async target => {
    for (const name of ['package.json', 'package-lock.json']) copyFileSync(join(nodeDir, name), join(target, name))
    await command('npm', ['ci', '--ignore-scripts', '--no-audit', '--no-fund'], { cwd: target })
  })
  return join(dir, 'node_modules')
}

/** ali-ons behind the driver. */
export async function aliOns(options: DriverOptions = {}): Promise<Driver> {
  const modules = await aliOnsModules()
  return new Driver({
    ...options,
    file: process.execPath,
    args: () => [join(nodeDir, 'driver.cjs'), modules],
  })
}
