import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { cached, command } from '../toolchain.ts'

export const referenceVersions = ['4.9.7', '5.3.3'] as const
export type ReferenceVersion = (typeof referenceVersions)[number]

const pomDir = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'reference')

/** What a pom of tools/interop/reference names, in a folder of the cache. */
const jarsOf = (pom: string, name: string): Promise<string> =>
  cached(name, async dir => {
    const goal = ['dependency:copy-dependencies', `-DoutputDirectory=${dir}`, '-DincludeScope=runtime']
    await command('mvn', ['-q', '-B', '-U', '-f', join(pomDir, pom), ...goal])
  })

/** Jars of the real name server and broker. */
export const referenceJars = (version: ReferenceVersion): Promise<string> =>
  jarsOf(`pom-${version}.xml`, `reference-${version}`)

/** The official benchmark classes and the client 5.3.3 on which they run. */
export const benchmarkJars = (): Promise<string> => jarsOf('pom-benchmark.xml', 'benchmark')

/** Jars of the real proxy 5.3.3. */
export const proxyJars = (): Promise<string> => jarsOf('pom-proxy.xml', 'reference-proxy-5.3.3')
