import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Driver, type DriverOptions } from './driver.ts'

const main = join(dirname(fileURLToPath(import.meta.url)), 'sdk-main.ts')

/** Our SDK behind the driver, in a process of its own. */
export const sdkClient = async (options: DriverOptions = {}): Promise<Driver> =>
  new Driver({ ...options, file: process.execPath, args: () => ['--conditions=skua-source', '--import', 'tsx', main] })
