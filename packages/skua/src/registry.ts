import { type BrokerConfig, EtcdRegistry, endpointsOf, type Registry } from '@skua-mq/broker'
import { type Disk, Failure, type PostTls, postJson, postTlsProblem } from '@skua-mq/runtime'

/**
 * Where brokers of one name choose their master (failoverEndpoints); undefined where a person does. Errors: Failure ECONFIG for a file
 * that cannot be read, or is not what it ought to be.
 */
export function registryOf(config: BrokerConfig, disk: Pick<Disk, 'readFile'>): Registry | undefined {
  const { failoverEndpoints, failoverPrefix, failoverLeaseTime, brokerClusterName, brokerName } = config
  if (failoverEndpoints === '') return undefined
  // Two requests of a round, and another endpoint for one of them, in the time that a lease leaves.
  const timeoutMs = Math.min(1000, failoverLeaseTime / 4)
  const tls = tlsOf(config, disk)
  return new EtcdRegistry({
    endpoints: endpointsOf(failoverEndpoints),
    prefix: `${failoverPrefix}/${brokerClusterName}/${brokerName}/`,
    user: userOf(config, disk),
    post: (url, body, authorization) => postJson(url, body, { timeoutMs, authorization, tls }),
  })
}

const files = { ca: 'failoverCaFile', cert: 'failoverCertFile', key: 'failoverKeyFile' } as const

function tlsOf(config: BrokerConfig, disk: Pick<Disk, 'readFile'>): PostTls {
  const [ca, cert, key] = [files.ca, files.cert, files.key].map(each => fileOf(config, disk, each))
  const tls = { ca, cert, key }
  const problem = postTlsProblem(tls)
  if (problem === undefined) return tls
  const name = files[problem.of]
  throw new Failure('ECONFIG', `${name}=${config[name]} cannot be used: ${problem.reason}`)
}

function userOf(config: BrokerConfig, disk: Pick<Disk, 'readFile'>) {
  const bytes = fileOf(config, disk, 'failoverPasswordFile')
  if (bytes === undefined) return undefined
  const [password = ''] = Buffer.from(bytes).toString('utf8').split(/\r?\n/, 1)
  if (password === '')
    throw new Failure(
      'ECONFIG',
      `failoverPasswordFile=${config.failoverPasswordFile} has no password in its first line`,
    )
  return { name: config.failoverUser, password }
}

type FileKey = (typeof files)[keyof typeof files] | 'failoverPasswordFile'

function fileOf(config: BrokerConfig, disk: Pick<Disk, 'readFile'>, key: FileKey): Uint8Array | undefined {
  if (config[key] === '') return undefined
  try {
    return disk.readFile(config[key])
  } catch (cause) {
    throw new Failure('ECONFIG', `${key}=${config[key]} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
