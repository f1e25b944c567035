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
import { type FamilyMember, familyNames } from '../masters/family.ts'
import { ownSettings, ownSettingsPath } from '../masters/own-settings.ts'
import { registryOf } from '../registry.ts'
import { readBrokerConfig } from './broker-config.ts'
import { expandHome } from './config-file.ts'
import { DashboardSidecar, wishOf } from './dashboard-sidecar.ts'
import { type GrpcOptions, gatewayConfigOf } from './grpc.ts'
import { keepIn } from './keep-config.ts'
import { type LogFlags, openLog } from './log/log.ts'
import { plannedFamily, runMasters } from './masters.ts'
import { asMember, type MemberPlace } from './member.ts'
import { tellOpenToAll } from './open-to-all.ts'
import { showRecovery } from './recovery-bar.ts'
import { untilSignal } from './run.ts'
import { portsBy, startFailure } from './start-failure.ts'
import type { Surroundings } from './surroundings.ts'
import { readTls } from './tls.ts'

export interface BrokerCommand extends LogFlags {
  readonly configFile?: string
  readonly namesrvAddr?: string
  readonly config?: Readonly<Record<string, string>>
  /** Above the file and the environment, below the flags. */
  readonly further?: readonly OptionEntry[]
  readonly printConfig?: boolean
  readonly printImportantConfig?: boolean
  /** How many brokers there are of the family. */
  readonly masters?: number
  /** This process is one of them. */
  readonly member?: MemberPlace
}

/** `skua broker`, `bin/mqbroker`: Apache's defaults, flags and lines; or a family of brokers, and each of them. */
export async function runBroker(command: BrokerCommand, surroundings: Surroundings): Promise<void> {
  if (command.member !== undefined) {
    await asMember(ready => runOne(command, { ...configured(command, surroundings), ready }))
    return
  }
  const { config, placeOf, further } = configured(command, surroundings)
  const members = plannedFamily({ config, count: config.masters, placeOf })
  if (command.printConfig || command.printImportantConfig) {
    if (members.length === 1) process.stdout.write(printConfig(brokerOptions, config))
    else for (const member of members) printMember(member, { command, count: members.length, surroundings })
    return
  }
  if (members.length > 1) {
    await runMasters(members, { command: { ...command, further }, config })
    return
  }
  await runOne(command, { config, ready: line => process.stdout.write(`${line}\n`) })
}

/** As its process will read it. */
function printMember(
  member: FamilyMember,
  { command, count, surroundings }: { command: BrokerCommand; count: number; surroundings: Surroundings },
): void {
  const { index, brokerName, storePathRootDir } = member
  const itself = { ...command, member: { index, count }, config: { ...command.config, storePathRootDir } }
  const { config } = configured(itself, surroundings)
  process.stdout.write(`# ${brokerName}\n${printConfig(brokerOptions, { ...config, ...member })}`)
}

/** What the file, the environment and the flags say, in this order, the last one being right. */
function configured(command: BrokerCommand, surroundings: Surroundings) {
  const flags = { masters: command.masters, namesrvAddr: command.namesrvAddr }
  const sources: Readonly<Record<string, string>> = { masters: '--masters', namesrvAddr: '-n' }
  const further = [
    ...(command.further ?? []),
    ...Object.entries(command.config ?? {}).map(([key, value]) => ({ key, value, source: '--config' })),
    ...Object.entries(flags).flatMap(([key, value]) =>
      value === undefined ? [] : [{ key, value: String(value), source: sources[key]! }],
    ),
  ]
  const { config, placeOf } = readBrokerConfig({
    ...{ file: command.configFile, further, env: process.env, isTold: command.member !== undefined },
    kept: read => ownSettings(nodeRuntime().disk, placed(read, surroundings).storePathRootDir),
  })
  return { config: placed(config, surroundings), placeOf, further }
}

type Read = ReturnType<typeof configured>['config']

/** One broker, in this process. `ready`: takes the line that says so. */
async function runOne(
  command: BrokerCommand,
  { config, ready }: { readonly config: Read; readonly ready: (line: string) => void },
): Promise<void> {
  const { member = { index: 0, count: 1 } } = command
  const isAlone = member.count === 1
  const file = member.index === 0 ? 'broker.log' : `broker-${member.index}.log`
  const log = openLog('broker', file, { ...command, broker: isAlone ? undefined : config.brokerName })
  const { events } = log
  const given = nodeRuntime(events)
  // Several bars in one place would write over one another.
  if (isAlone) showRecovery(events, () => given.clock.monotonic())
  const tls = readTls(config)
  const hasGrpc = config.grpcServerPort !== 0
  const runtime = hasGrpc ? { ...given, net: new LinkedNet(given.net) } : given
  const store = config.storePathRootDir
  const sidecar = new DashboardSidecar({ plan: wishOf(config), tls: tls.tls.mode === 'enforcing', store })
  const keepConfig = keptIn(command, { root: config.storePathRootDir, isAlone, runtime })
  const start = async () => {
    const broker = new Broker({
      config,
      runtime,
      facts: new NodeProcessFacts(),
      // What the machine has they share.
      totalMemoryBytes: totalmem() / member.count,
      family: isAlone ? [] : familyNames(config.brokerName, member),
      storeAddress: config.brokerIP1 === '' ? undefined : await runtime.net.resolve(config.brokerIP1),
      startFilterProcess,
      registry: registryOf(config, runtime.disk),
      ...(keepConfig === undefined ? {} : { keepConfig }),
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
  const explained = () =>
    start().catch(error => {
      throw startFailure(error, placesOf(command, config))
    })
  const broker = await untilSignal(explained, { ignoreHangUp: true })
  const known = config.namesrvAddr === '' ? '' : ` and name server is ${config.namesrvAddr}`
  ready(`The broker[${config.brokerName}, ${broker.brokerAddr}] boot success. serializeType=JSON${known}`)
  if (config.namesrvAddr !== '') await sidecar.open(config.namesrvAddr)
}

function placesOf({ configFile: file = 'a file for -c', member }: BrokerCommand, config: Read) {
  const { storePathRootDir: root, listenPort, brokerName } = config
  const further = member === undefined || member.index === 0 ? '' : `, from which ${brokerName} takes its own`
  return {
    ...{ root, rootBy: `storePathRootDir of ${file}`, hostBy: `brokerIP1 of ${file}` },
    ports: new Map(portsBy(listenPort, `listenPort of ${file}${further}`)),
  }
}

/** Where changes of a running broker go: into its file, unless others share that, or did once. */
function keptIn(
  { configFile }: BrokerCommand,
  { root, isAlone, runtime }: { readonly root: string; readonly isAlone: boolean; readonly runtime: Runtime },
) {
  const own = ownSettingsPath(root)
  if (!isAlone || runtime.disk.stat(own) !== undefined) return keepIn(own, runtime)
  return configFile === undefined ? undefined : keepIn(configFile, runtime)
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
