// node --conditions=skua-source --import tsx tools/interop/src/reference/main.ts VERSION [--namesrv PORT] [--broker PORT]
//   [--store DIR] [key=value of broker.conf]...      runs until SIGINT or SIGTERM; prints one line of JSON when ready
import { parseArgs } from 'node:util'
import { type ReferenceVersion, referenceVersions } from './jars.ts'
import { type ReferenceOptions, startReference } from './start.ts'

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: {
    namesrv: { type: 'string' },
    broker: { type: 'string' },
    store: { type: 'string' },
    heap: { type: 'string' },
  },
})
const [version, ...lines] = positionals
if (!referenceVersions.includes(version as ReferenceVersion)) {
  console.error(`which version: ${referenceVersions.join(' or ')}?`)
  process.exit(1)
}
const options: ReferenceOptions = {
  version: version as ReferenceVersion,
  ports: {
    ...(values.namesrv === undefined ? {} : { nameServer: Number(values.namesrv) }),
    ...(values.broker === undefined ? {} : { broker: Number(values.broker) }),
  },
  ...(values.store === undefined ? {} : { storeDir: values.store }),
  ...(values.heap === undefined ? {} : { heapMb: Number(values.heap) }),
  conf: Object.fromEntries(lines.map(line => [line.slice(0, line.indexOf('=')), line.slice(line.indexOf('=') + 1)])),
}
const started = Date.now()
const reference = await startReference(options)
const { namesrvAddr, brokerAddr, brokerPid, namesrvPid, dir } = reference
console.log(JSON.stringify({ version, namesrvAddr, brokerAddr, brokerPid, namesrvPid, dir, ms: Date.now() - started }))
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => void reference.stop('SIGKILL'))
