import { createHash } from 'node:crypto'
import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Driver, type DriverOptions } from './driver.ts'
import { cached, command } from './toolchain.ts'

const allJavaVersions = ['4.9.8', '5.3.3', '5.4.0'] as const
export type JavaVersion = (typeof allJavaVersions)[number]

/** In all suites of every test run; of the others only the basics, and all in the long run. */
const everydayVersions: readonly JavaVersion[] = ['4.9.8', '5.3.3']

const wanted = process.env['SKUA_JAVA_CLIENTS']?.split(',')
/** The client versions that suites run with; SKUA_JAVA_CLIENTS=5.4.0 names others. */
export const javaVersions = allJavaVersions.filter(version => (wanted ?? everydayVersions).includes(version))
/** Those that the basics run with. */
export const basicsVersions = allJavaVersions.filter(version => wanted?.includes(version) ?? true)

const javaDir = join(dirname(fileURLToPath(import.meta.url)), '..', 'java')
const sourceDir = join(javaDir, 'src')

/** Jars of the official client of a version. */
export function javaJars(version: JavaVersion): Promise<string> {
  const pom = join(javaDir, `pom-${version}.xml`)
  const digest = createHash('sha256').update(readFileSync(pom)).digest('hex').slice(0, 12)
  return cached(`java-${version}/lib-${digest}`, async dir => {
    await command('mvn', [
      '-q',
      '-B',
      '-U',
      '-f',
      pom,
      'dependency:copy-dependencies',
      `-DoutputDirectory=${dir}`,
      '-DincludeScope=runtime',
    ])
  })
}

/** The official Java client of a version behind the driver, in a JVM of its own. */
export async function javaClient(version: JavaVersion, options: DriverOptions = {}): Promise<Driver> {
  const lib = await javaJars(version)
  const sources = readdirSync(sourceDir).sort()
  const digest = createHash('sha256')
  for (const name of sources) digest.update(readFileSync(join(sourceDir, name)))
  const classes = await cached(`java-${version}/classes-${digest.digest('hex').slice(0, 12)}`, async dir => {
    await command('javac', [
      '-nowarn',
      '-encoding',
      'UTF-8',
      '-d',
      dir,
      '-cp',
      `${lib}/*`,
      ...sources.map(name => join(sourceDir, name)),
    ])
  })
  return new Driver({
    ...options,
    file: 'java',
    args: home => [
      ...['-Xms64m', '-Xmx512m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1'],
      `-Drocketmq.client.logRoot=${home}/logs`,
      `-Drocketmq.client.localOffsetStoreDir=${home}/offsets`,
      `-Duser.home=${home}`,
      ...(options.jvm ?? []),
      ...['-cp', `${classes}:${lib}/*`, 'Driver'],
    ],
  })
}
