import { hostname, totalmem } from 'node:os'
import { Broker, brokerOptions } from '@skua-mq/broker'
import {
  group,
  LinkedNet,
  NodeProcessFacts,
  nodeRuntime,
  type OptionEntry,
  printConfig,
  type Runtime,
  type TlsServer,
} from '@skua-mq/runtime'
import { startFilterProcess } from '../filter-process.ts'
import { gatewayOf } from '../gateway.ts'
import { registryOf } from '../registry.ts'
import { readBrokerConfig } from './broker-config.ts'
import { expandHome } from './config-file.ts'
import { DashboardSidecar, wishOf } from './dashboard-sidecar.ts'
import { type GrpcOptions, gatewayConfigOf } from './grpc.ts'
import { keepIn } from './keep-config.ts'
import { type LogFlags, openLog } from './log/log.ts'
import { tellOpenToAll } from './open-to-all.ts'
import { showRecovery } from './recovery-bar.ts'
import { untilSignal } from './run.ts'
import { portsBy, startFailure } from './start-failure.ts'
import type { Surroundings } from './surroundings.ts'
import { readTls } from './tls.ts'

export interface BrokerCommand extends LogFlags {
  readonly configFile?: string
  readonly namesrvAddr?: string
  /** Above the file and the environment. */
  readonly further?: readonly OptionEntry[]
  readonly printConfig?: boolean
  readonly printImportantConfig?: boolean
}

/** `skua broker`, `bin/mqbroker`: Apache's defaults, flags and lines. */
export async function runBroker(command: BrokerCommand, surroundings: Surroundings): Promise<void> {
  const log = openLog('broker', 'broker.log', command)
  const { events } = log
  const given = nodeRuntime(events)
  showRecovery(events, () => given.clock.monotonic())
  const named =
    command.namesrvAddr === undefined ? [] : [{ key: 'namesrvAddr', value: command.namesrvAddr, source: '-n' }]
  const further = [...(command.further ?? []), ...named]
  const { config: read } = readBrokerConfig({ file: command.configFile, further, env: process.env })
  const config = placed(read, surroundings)
  if (command.printConfig || command.printImportantConfig) {
    process.stdout.write(printConfig(brokerOptions, config))
    return
  }
  const tls = readTls(config)
  const hasGrpc = config.grpcServerPort !== 0
  const runtime = hasGrpc ? { ...given, net: new LinkedNet(given.net) } : given
  const sidecar = new DashboardSidecar({ plan: wishOf(config), tls: tls.tls.mode === 'enforcing' })
  const start = async () => {
    const broker = new Broker({
      config,
      runtime,
      facts: new NodeProcessFacts(),
      totalMemoryBytes: totalmem(),
      storeAddress: config.brokerIP1 === '' ? undefined : await runtime.net.resolve(config.brokerIP1),
      startFilterProcess,
      registry: registryOf(config, runtime.disk),
      ...(command.configFile === undefined ? {} : { keepConfig: keepIn(command.configFile, runtime) }),
      ...tls,
    })
    log.level = () => broker.config.logLevel
    const gateway = hasGrpc ? await gatewayFor(config, { runtime, broker, tls: tls.tls }) : undefined
    const parts = group('broker and gRPC', gateway === undefined ? [broker] : [broker, gateway])
    await parts.start()
    tellOpenToAll(events, { ...config, host: '' })
    return {
      brokerAddr: broker.brokerAddr,
      stop: () => sidecar.stop().then(() => parts.stop()),
      rescue: () => broker.rescue(),
    }
  }
  const file = command.configFile ?? 'a file for -c'
  const places = {
    ...{ root: config.storePathRootDir, rootBy: `storePathRootDir of ${file}`, hostBy: `brokerIP1 of ${file}` },
    ports: new Map(portsBy(config.listenPort, `listenPort of ${file}`)),
  }
  const explained = () =>
    start().catch(error => {
      throw startFailure(error, places)
    })
  const broker = await untilSignal(explained, { ignoreHangUp: true })
  const known = config.namesrvAddr === '' ? '' : ` and name server is ${config.namesrvAddr}`
  process.stdout.write(
    `The broker[${config.brokerName}, ${broker.brokerAddr}] boot success. serializeType=JSON${known}\n`,
  )
  if (config.namesrvAddr !== '') await sidecar.open(config.namesrvAddr)
}

/** What the keys leave to the machine and the environment. */
function placed<C extends GrpcOptions>(read: C, { namesrvAddr, home, rocketmqHome }: Surroundings): C {
  return Object.freeze({
    ...read,
    brokerName: read.brokerName === 'DEFAULT_BROKER' ? hostname() : read.brokerName,
    namesrvAddr: read.namesrvAddr || (namesrvAddr ?? ''),
    storePathRootDir: expandHome(read.storePathRootDir || '~/store', home),
    rocketmqHome: expandHome(read.rocketmqHome || (rocketmqHome ?? ''), home),
    storePathCommitLog: expandHome(read.storePathCommitLog, home),
  })
}

const gatewayFor = (
  config: GrpcOptions,
  { runtime, broker, tls }: { runtime: Runtime; broker: Broker; tls: TlsServer },
) =>
  gatewayOf({
    config: gatewayConfigOf(config),
    runtime,
    secretOf: broker.secretOf,
    nameServers: config.namesrvAddr.split(';').filter(address => address !== ''),
    tls,
  })
