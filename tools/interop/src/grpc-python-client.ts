import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Driver, type DriverOptions } from './driver.ts'
import { cached, command } from './toolchain.ts'

const home = join(dirname(fileURLToPath(import.meta.url)), '..', 'python-grpc')
const requirements = join(home, 'requirements.txt')

/** The official gRPC client for Python behind the driver; its version is pinned in tools/interop/python-grpc. */
export async function grpcPythonClient(options: DriverOptions = {}): Promise<Driver> {
  const digest = createHash('sha256').update(readFileSync(requirements)).digest('hex').slice(0, 12)
  const dir = await cached(`python-grpc-${digest}`, async target => {
    await command('python3', ['-m', 'venv', target])
    await command(join(target, 'bin', 'pip'), ['install', '-q', '--disable-pip-version-check', '-r', requirements])
  })
  return new Driver({ ...options, file: join(dir, 'bin', 'python'), args: () => [join(home, 'driver.py')] })
}
