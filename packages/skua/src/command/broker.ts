import { hostname, totalmem } from 'node:os'
import { Broker, brokerOptions } from '@skua-mq/broker'
import { NodeProcessFacts, nodeRuntime, printConfig } from '@skua-mq/runtime'
import { startFilterProcess } from '../filter-process.ts'
import { readBrokerConfig } from './broker-config.ts'
import { expandHome } from './config-file.ts'
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
  readonly printConfig?: boolean
  readonly printImportantConfig?: boolean
}

/** `skua broker`, `bin/mqbroker`: Apache's defaults, flags and lines. */
export async function runBroker(
  command: BrokerCommand,
  { namesrvAddr, home, rocketmqHome }: Surroundings,
): Promise<void> {
  const log = openLog('broker', 'broker.log', command)
  const { events } = log
  const runtime = nodeRuntime(events)
  showRecovery(events, () => runtime.clock.monotonic())
  const further =
    command.namesrvAddr === undefined ? [] : [{ key: 'namesrvAddr', value: command.namesrvAddr, source: '-n' }]
  const { config: read } = readBrokerConfig({ file: command.configFile, further, env: process.env })
  const root = expandHome(read.storePathRootDir || '~/store', home)
  const config = Object.freeze({
    ...read,
    brokerName: read.brokerName === 'DEFAULT_BROKER' ? hostname() : read.brokerName,
    namesrvAddr: read.namesrvAddr || (namesrvAddr ?? ''),
    storePathRootDir: root,
    rocketmqHome: expandHome(read.rocketmqHome || (rocketmqHome ?? ''), home),
    storePathCommitLog: expandHome(read.storePathCommitLog, home),
  })
  if (command.printConfig || command.printImportantConfig) {
    process.stdout.write(printConfig(brokerOptions, config))
    return
  }
  const tls = readTls(config)
  const start = async () => {
    const broker = new Broker({
      config,
      runtime,
      facts: new NodeProcessFacts(),
      totalMemoryBytes: totalmem(),
      storeAddress: config.brokerIP1 === '' ? undefined : await runtime.net.resolve(config.brokerIP1),
      startFilterProcess,
      ...(command.configFile === undefined ? {} : { keepConfig: keepIn(command.configFile, runtime) }),
      ...tls,
    })
    log.level = () => broker.config.logLevel
    await broker.start()
    tellOpenToAll(events, { ...config, host: '' })
    return broker
  }
  const file = command.configFile ?? 'a file for -c'
  const places = {
    ...{ root, rootBy: `storePathRootDir of ${file}`, hostBy: `brokerIP1 of ${file}` },
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
}
