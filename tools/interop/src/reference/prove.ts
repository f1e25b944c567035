// node --conditions=skua-source --import tsx tools/interop/src/reference/prove.ts [VERSION [TEST-FILE...]]
// Runs the interop tests against real brokers, to show that the tests are right. Without arguments: both versions, the
// tests named below. Part of the long test run. With `grpc` in place of files: the tests of gRPC clients alone.
import { spawn } from 'node:child_process'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { Gateway, gatewayOptions } from '@skua-mq/gateway'
import { configOf, NodeHttp2, nodeRuntime } from '@skua-mq/runtime'
import { type ReferenceVersion, referenceVersions } from './jars.ts'
import { startReferenceProxy } from './proxy.ts'
import { startReference } from './start.ts'

const testDir = join(dirname(fileURLToPath(import.meta.url)), '..', '..', 'test')
const proven = [
  'java-basics',
  'java-delivery',
  'java-queries',
  'java-limits',
  'java-groups',
  'other-clients',
  'mixed-group',
  'benchmark',
].map(name => join(testDir, `${name}.test.ts`))
const grpc = ['grpc-java', 'grpc-node', 'grpc-python'].map(name => join(testDir, `${name}.test.ts`))
/** What the tests ask of a broker of ours as well. */
const conf = {
  enablePropertyFilter: true,
  traceTopicEnable: true,
  transactionTimeOut: 1000,
  // 5.x gathers verdicts for 3 s, and checks again what it has not written down.
  transactionCheckInterval: 5000,
  enableMixedMessageType: true,
  recallMessageEnable: true,
}
/** The lite pull consumer of client 5.3.3 asks with code 361, which a broker 4.9 does not know. */
const clientsOf: Record<ReferenceVersion, string> = { '4.9.7': '4.9.8', '5.3.3': '4.9.8,5.3.3' }

const [asked, ...files] = process.argv.slice(2)
const versions = asked === undefined ? referenceVersions : referenceVersions.filter(version => version === asked)
if (versions.length === 0) {
  console.error(`which version: ${referenceVersions.join(' or ')}?`)
  process.exit(1)
}
// Leaving this way ends the servers too.
for (const signal of ['SIGINT', 'SIGTERM'] as const) process.once(signal, () => process.exit(1))
let failed = false
for (const version of versions) {
  const reference = await startReference({ version, conf })
  console.log(`RocketMQ ${version} at ${reference.namesrvAddr}`)
  const node = [
    '--conditions=skua-source',
    '--import',
    'tsx',
    '--test',
    '--test-reporter=spec',
    '--test-timeout=240000',
  ]
  try {
    if (files[0] === 'grpc') {
      failed ||= !(await gateways(reference.namesrvAddr, node))
      continue
    }
    // Not a synchronous call: the servers would block on output that nobody reads.
    const tests = spawn(process.execPath, [...node, ...(files.length > 0 ? files : proven)], {
      stdio: 'inherit',
      env: {
        ...process.env,
        SKUA_NAMESRV: reference.namesrvAddr,
        SKUA_JAVA_CLIENTS: clientsOf[version],
        SKUA_REFERENCE_VERSION: version,
      },
    })
    const status = await new Promise(resolve => tests.once('exit', resolve))
    failed ||= status !== 0
    if (version === '5.3.3' && files.length === 0) failed ||= !(await gateways(reference.namesrvAddr, node))
  } finally {
    await reference.stop('SIGKILL')
  }
}
process.exitCode = failed ? 1 : 0

/** Clients of gRPC before the real proxy, and before ours in front of the real broker. True: all went well. */
async function gateways(namesrvAddr: string, node: readonly string[]): Promise<boolean> {
  let isRight = true
  const theirs = await startReferenceProxy(namesrvAddr)
  const ours = await ownProxy(namesrvAddr)
  for (const [name, { grpcAddr, stop }] of [
    ['skua', ours],
    ['apache', theirs],
  ] as const) {
    console.log(`gRPC server ${name} before Apache’s broker, at ${grpcAddr}`)
    const tests = spawn(process.execPath, [...node, ...grpc], {
      stdio: 'inherit',
      env: { ...process.env, SKUA_NAMESRV: namesrvAddr, SKUA_GRPC: grpcAddr, SKUA_GRPC_SERVER: name },
    })
    isRight &&= (await new Promise(resolve => tests.once('exit', resolve))) === 0
    await stop()
  }
  return isRight
}

async function ownProxy(namesrvAddr: string) {
  const gateway = new Gateway({
    config: configOf(gatewayOptions, { grpcServerPort: 0 }),
    ...{ runtime: nodeRuntime(), http2: new NodeHttp2(), nameServers: [namesrvAddr] },
  })
  await gateway.start()
  return { grpcAddr: `127.0.0.1:${gateway.address.port}`, stop: () => gateway.stop() }
}
