import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Driver, type DriverOptions } from './driver.ts'
import { cached, command } from './toolchain.ts'

const goDir = join(dirname(fileURLToPath(import.meta.url)), '..', 'go')

/** The official Go client behind the driver; its version is pinned in go.mod. */
export async function goClient(options: DriverOptions = {}): Promise<Driver> {
  const digest = createHash('sha256')
  for (const name of readdirSync(goDir).sort()) digest.update(readFileSync(join(goDir, name)))
  const dir = await cached(`go-${digest.digest('hex').slice(0, 12)}`, async target => {
    await command('go', ['build', '-o', join(target, 'driver'), '.'], { cwd: goDir })
  })
  return new Driver({ ...options, file: join(dir, 'driver'), args: () => [] })
}
