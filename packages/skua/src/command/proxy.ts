import { gatewayOptions } from '@skua-mq/gateway'
import { tlsOptions } from '@skua-mq/remoting'
import { group, nodeRuntime, type OptionEntry, readOptions } from '@skua-mq/runtime'
import { gatewayOf } from '../gateway.ts'
import { reportUnknown } from './config-file.ts'
import { entriesOf } from './environment.ts'
import { type LogFlags, openLog } from './log/log.ts'
import { untilSignal } from './run.ts'
import type { Surroundings } from './surroundings.ts'
import { readTls } from './tls.ts'

export interface ProxyCommand extends LogFlags {
  /** rmq-proxy.json */
  readonly proxyConfigPath?: string
  readonly namesrvAddr?: string
  readonly proxyMode?: string
  readonly brokerConfigPath?: string
}

const table = { ...gatewayOptions, ...tlsOptions } as const

/** Apache's keys that say nothing here which the flags and the environment do not. */
const forMode = new Set(['proxyMode', 'rocketMQClusterName', 'namesrvAddr', 'proxyName', 'proxyClusterName'])

/** `skua proxy`, `bin/mqproxy`: the gRPC endpoint alone, before brokers of ours or Apache's; or with a broker (LOCAL). */
export async function runProxy(command: ProxyCommand, surroundings: Surroundings): Promise<void> {
  const entries = command.proxyConfigPath === undefined ? [] : readJson(command.proxyConfigPath)
  const textOf = (key: string) => entries.find(entry => entry.key === key)?.value
  const mode = (command.proxyMode ?? textOf('proxyMode') ?? 'CLUSTER').toUpperCase()
  const namesrvAddr = command.namesrvAddr ?? textOf('namesrvAddr') ?? surroundings.namesrvAddr ?? ''
  if (mode === 'LOCAL') {
    const { runBroker } = await import('./broker.ts')
    const own = entries.filter(({ key }) => key in gatewayOptions)
    const grpc = own.some(({ key }) => key === 'grpcServerPort') ? [] : [{ key: 'grpcServerPort', value: '8081' }]
    const { brokerConfigPath } = command
    const broker = brokerConfigPath === undefined ? {} : { configFile: brokerConfigPath }
    await runBroker({ ...command, ...broker, further: [...own, ...grpc], namesrvAddr }, surroundings)
    return
  }
  if (mode !== 'CLUSTER') throw new Error(`the proxy mode is ${mode}: CLUSTER and LOCAL are known`)
  if (namesrvAddr === '') throw new Error('no name server is named: -n HOST:PORT, or NAMESRV_ADDR')
  const given = [...entries.filter(({ key }) => !forMode.has(key)), ...entriesOf(process.env, table)]
  const { config, reports } = readOptions(
    table,
    given,
    command.proxyConfigPath === undefined ? {} : { file: command.proxyConfigPath },
  )
  reportUnknown(reports)
  const log = openLog('proxy', 'proxy.log', command)
  const runtime = nodeRuntime(log.events)
  const start = async () => {
    const nameServers = namesrvAddr.split(';').filter(address => address !== '')
    // As Apache's: on all addresses, unless a key says another one.
    const hasPlace = given.some(({ key }) => key === 'grpcBindAddress')
    const gateway = await gatewayOf({
      config: hasPlace ? config : { ...config, grpcBindAddress: '' },
      ...{ runtime, nameServers },
      ...readTls(config),
    })
    const parts = group('proxy', [gateway])
    await parts.start()
    return { port: gateway.address.port, stop: () => parts.stop() }
  }
  const { port } = await untilSignal(start, { ignoreHangUp: true })
  process.stdout.write(`The proxy boot success. gRPC clients: port ${port}; name server: ${namesrvAddr}\n`)
}

/** The entries of a JSON object of texts, numbers and booleans. */
function readJson(file: string): OptionEntry[] {
  let parsed: unknown
  try {
    parsed = JSON.parse(Buffer.from(nodeRuntime().disk.readFile(file)).toString('utf8'))
  } catch (error) {
    throw new Error(`${file}: ${(error as Error).message}`)
  }
  if (typeof parsed !== 'object' || parsed === null || Array.isArray(parsed))
    throw new Error(`${file}: a JSON object is wanted`)
  return Object.entries(parsed).map(([key, value]) => ({ key, value: String(value) }))
}
