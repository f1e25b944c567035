import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Driver, type DriverOptions } from './driver.ts'
import { cached, command } from './toolchain.ts'

const here = dirname(fileURLToPath(import.meta.url))
const home = join(here, '..', 'java-grpc')
const version = '5.2.0'
const sources = [join(home, 'src', 'GrpcDriver.java'), join(here, '..', 'java', 'src', 'Json.java')]

const digestOf = (files: readonly string[]) => {
  const digest = createHash('sha256')
  for (const file of files) digest.update(readFileSync(file))
  return digest.digest('hex').slice(0, 12)
}

/** The official gRPC client for Java behind the driver, in a JVM of its own. */
export async function grpcJavaClient(options: DriverOptions = {}): Promise<Driver> {
  const pom = join(home, `pom-${version}.xml`)
  const lib = await cached(`grpc-java-${version}/lib-${digestOf([pom])}`, async dir => {
    const wanted = ['dependency:copy-dependencies', `-DoutputDirectory=${dir}`, '-DincludeScope=runtime']
    await command('mvn', ['-q', '-B', '-U', '-f', pom, ...wanted])
  })
  const classes = await cached(`grpc-java-${version}/classes-${digestOf(sources)}`, async dir => {
    await command('javac', ['-nowarn', '-encoding', 'UTF-8', '-d', dir, '-cp', `${lib}/*`, ...sources])
  })
  return new Driver({
    ...options,
    file: 'java',
    args: own => [
      ...['-Xms64m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', `-Duser.home=${own}`],
      ...(options.jvm ?? []),
      ...['-cp', `${classes}:${lib}/*`, 'GrpcDriver'],
    ],
  })
}
