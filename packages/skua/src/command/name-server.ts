import { NameServer, nameServerOptions } from '@skua-mq/nameserver'
import { defaultLimits, tlsOptions } from '@skua-mq/remoting'
import { NodeProcessFacts, nodeRuntime, printConfig } from '@skua-mq/runtime'
import { connectionsAlone } from '../descriptors.ts'
import { configure, expandHome } from './config-file.ts'
import { keepIn } from './keep-config.ts'
import { type LogFlags, openLog } from './log/log.ts'
import { untilSignal } from './run.ts'
import { startFailure } from './start-failure.ts'
import type { Surroundings } from './surroundings.ts'
import { readTls } from './tls.ts'

export interface NameServerCommand extends LogFlags {
  readonly configFile?: string
  readonly printConfig?: boolean
}

/** `skua nameserver`, `bin/mqnamesrv`. */
export async function runNameServer(command: NameServerCommand, { home }: Surroundings): Promise<void> {
  const log = openLog('nameserver', 'namesrv.log', command)
  const runtime = nodeRuntime(log.events)
  const table = { ...nameServerOptions, ...tlsOptions }
  const { config: read } = configure(table, { file: command.configFile, further: [], env: process.env })
  const config = Object.freeze({
    ...read,
    kvConfigPath: expandHome(read.kvConfigPath || '~/namesrv/kvConfig.json', home),
  })
  if (command.printConfig) {
    process.stdout.write(printConfig(nameServerOptions, config))
    return
  }
  const { tls } = readTls(config)
  const start = async () => {
    const server = new NameServer({
      runtime,
      listen: { host: config.bindAddress, port: config.listenPort },
      kvConfigPath: config.kvConfigPath,
      orderMessageEnable: config.orderMessageEnable,
      config,
      limits: {
        maxConnections: connectionsAlone(new NodeProcessFacts().descriptorLimit, defaultLimits.maxConnections),
      },
      ...(command.configFile === undefined ? {} : { keepConfig: keepIn(command.configFile, runtime) }),
      tls,
    })
    log.level = () => server.config.logLevel
    const file = command.configFile ?? 'a file for -c'
    const ports = new Map([[config.listenPort, `listenPort of ${file}`]])
    await server.start().catch(error => {
      throw startFailure(error, { ports, hostBy: `bindAddress of ${file}` })
    })
    return server
  }
  await untilSignal(start, { ignoreHangUp: true })
  process.stdout.write('The Name Server boot success. serializeType=JSON\n')
}
