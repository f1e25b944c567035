import { readFileSync } from 'node:fs'
import { isAbsolute, join } from 'node:path'
import { brokerOptions } from '@skua-mq/broker'
import { gatewayOptions } from '@skua-mq/gateway'
import { nodeRuntime, type OptionTable } from '@skua-mq/runtime'
import { startStandalone } from '../standalone.ts'
import { readBrokerConfig } from './broker-config.ts'
import { DashboardSidecar, dashboardPlan } from './dashboard-sidecar.ts'
import { entriesOf } from './environment.ts'
import { defaultGrpcPort, type GrpcOptions, grpcOptions } from './grpc.ts'
import { type LogFlags, openLog } from './log/log.ts'
import { tellOpenToAll } from './open-to-all.ts'
import { showRecovery } from './recovery-bar.ts'
import { untilSignal } from './run.ts'
import { refuseFamily } from './standalone-family.ts'
import { refusePorts } from './standalone-ports.ts'
import { portsBy, startFailure } from './start-failure.ts'
import { readTls } from './tls.ts'

export interface StandaloneCommand extends LogFlags {
  /** How the command is called, for lines that a person may copy. */
  readonly calledAs: string
  readonly store: string
  readonly memory?: boolean
  readonly host: string
  readonly port: number
  readonly namesrvPort?: number
  readonly grpcPort?: number
  /** False: none. */
  readonly grpc?: boolean
  readonly dashboardPort?: number
  /** False: none. */
  readonly dashboard?: boolean
  readonly config?: Record<string, string>
  /** A file of topics. */
  readonly topics?: string
}

/** `skua`, `npm start`: everything in this process, and a banner that says where. */
export async function runStandalone(command: StandaloneCommand): Promise<void> {
  const further = Object.entries(command.config ?? {}).map(([key, value]) => ({ key, value, source: '--config' }))
  const { config: read, placeOf } = readBrokerConfig({ file: undefined, further, env: process.env })
  refusePorts(command, { config: read, placeOf })
  refuseFamily(command, { config: read, placeOf })
  const given = new Set([...entriesOf(process.env, grpcOptions), ...further].map(({ key }) => key))
  const givenOf = (table: OptionTable) =>
    Object.fromEntries(Object.entries(read).filter(([key]) => key in table && given.has(key)))
  const config = givenOf(brokerOptions)
  const { grpcPort, grpcIsOptional } = grpcWish(command, read)
  const tls = readTls(read)
  const topics = command.topics === undefined ? [] : (await import('./topics-file.ts')).readTopics(command.topics)
  const log = openLog('standalone', 'skua.log', command)
  // Who starts it by hand is told in the banner; a file hears all that the option wants.
  const byHand = command.logDir === undefined && !given.has('logLevel')
  log.level = () => (byHand ? 'warn' : read.logLevel)
  const directory = isAbsolute(command.store) ? command.store : join(process.cwd(), command.store)
  const sidecar = new DashboardSidecar({
    plan: dashboardPlan(command, read),
    tls: tls.tls.mode === 'enforcing',
    store: command.memory ? undefined : directory,
  })
  const start = async () => {
    const skua = await startStandalone({
      store: command.memory ? 'memory' : directory,
      host: command.host,
      port: command.port,
      ...(command.namesrvPort === undefined ? {} : { nameServerPort: command.namesrvPort }),
      ...(grpcPort === undefined ? {} : { grpcPort, grpcIsOptional, grpc: givenOf(gatewayOptions) }),
      events: showRecovery(log.events, () => nodeRuntime().clock.monotonic()),
      config,
      topics,
      ...tls,
    }).catch(error => {
      throw startFailure(error, placesOf(command, directory))
    })
    return { ...skua, stop: () => sidecar.stop().then(skua.stop) }
  }
  const skua = await untilSignal(start, { ignoreHangUp: false })
  tellOpenToAll(log.events, { host: command.host, listenPort: command.port, aclEnable: read.aclEnable })
  const [broker] = skua.brokers
  const readyMs = Math.round(nodeRuntime().clock.monotonic())
  const memoryMiB = ownMemoryMiB()
  process.stdout.write(`Skua is ready after ${readyMs} ms, with ${memoryMiB} MiB.

  name server  ${skua.namesrvAddr}
  broker       ${broker?.address} (${broker?.name}), which is what clients are told
  gRPC         ${skua.grpcAddr ?? 'off'}
  store        ${command.memory ? 'in memory, gone at the end' : directory}

Try it:
  ${command.calledAs} send Greetings hello --tag A${command.namesrvPort === undefined && command.port !== 0 ? '' : ` -n ${skua.namesrvAddr}`}
  ${command.calledAs} tail Greetings --from-start${command.namesrvPort === undefined && command.port !== 0 ? '' : ` -n ${skua.namesrvAddr}`}

Ctrl-C ends it.
`)
  await sidecar.open(skua.namesrvAddr)
}

/** Named by a flag, by a key, or by nobody: then RocketMQ's, where it is free, or any free one where the broker takes any. */
function grpcWish({ grpc, grpcPort, port }: StandaloneCommand, { grpcServerPort }: GrpcOptions) {
  if (grpc === false) return { grpcPort: undefined, grpcIsOptional: true }
  const named = grpcPort ?? (grpcServerPort === 0 ? undefined : grpcServerPort)
  return { grpcPort: named ?? (port === 0 ? 0 : defaultGrpcPort), grpcIsOptional: named === undefined }
}

function placesOf({ port, namesrvPort = 9876 }: StandaloneCommand, root: string) {
  const ports = new Map([...portsBy(port, '--port'), [namesrvPort, '--namesrv-port'] as const])
  return { root, rootBy: '--store', ports, hostBy: '--host' }
}

/** Anonymous memory of this process (RssAnon of Linux), without the shared text of node; elsewhere all that is resident. */
function ownMemoryMiB(): number {
  const { rss } = process.memoryUsage()
  try {
    const kib = /^RssAnon:\s+(\d+) kB$/m.exec(readFileSync('/proc/self/status', 'utf8'))?.[1]
    return Math.round(kib === undefined ? rss / 1024 / 1024 : Number(kib) / 1024)
  } catch {
    return Math.round(rss / 1024 / 1024)
  }
}
