import {
  bool,
  type Config,
  type Disk,
  Failure,
  oneOf,
  type Pem,
  path,
  type TlsClient,
  type TlsIdentity,
  type TlsServer,
  text,
  tlsClientAuths,
  tlsModes,
} from '@skua-mq/runtime'

/**
 * RocketMQ's keys for TLS (remoting.md 1.2). RocketMQ takes them as system properties and out of `tls.config.file`; here
 * they may also stand in the configuration of a server.
 */
export const tlsOptions = {
  'tls.server.mode': oneOf(tlsModes, {
    default: 'permissive',
    help: 'no TLS, plain and TLS on one port, or only TLS',
  }),
  'tls.config.file': path({
    default: '/etc/rocketmq/tls.properties',
    help: 'more keys like these, which win; it may be missing',
  }),
  'tls.test.mode.enable': bool({
    default: true,
    help: 'a self-signed certificate made at the start; no certificate is checked, and the files named below are not read',
  }),
  'tls.server.keyPath': path({ default: '', help: 'key of the server, PEM' }),
  'tls.server.keyPassword': text({ default: '', help: 'password of that key' }),
  'tls.server.certPath': path({ default: '', help: 'certificate of the server and those that lead to its root, PEM' }),
  'tls.server.need.client.auth': oneOf(tlsClientAuths, {
    default: 'none',
    help: 'whether clients must show a certificate',
  }),
  'tls.server.authClient': bool({
    default: false,
    help: 'whether it must lead to tls.server.trustCertPath; else any will do',
  }),
  'tls.server.trustCertPath': path({ default: '', help: 'authorities of clients, PEM' }),
  'tls.enable': bool({ default: false, help: 'TLS to the name servers' }),
  'tls.client.keyPath': path({ default: '', help: 'key that is shown to name servers, PEM' }),
  'tls.client.keyPassword': text({ default: '', help: 'password of that key' }),
  'tls.client.certPath': path({ default: '', help: 'certificate that is shown to name servers, PEM' }),
  'tls.client.authServer': bool({
    default: false,
    help: 'whether their certificates must lead to tls.client.trustCertPath',
  }),
  'tls.client.trustCertPath': path({ default: '', help: 'authorities of name servers, PEM' }),
} as const
export type TlsConfig = Config<typeof tlsOptions>

type Reader = Pick<Disk, 'readFile'>

/** What a server listens with. Errors: Failure ECONFIG for a missing key or file. */
export function tlsServerOf(config: TlsConfig, disk: Reader): TlsServer {
  const mode = config['tls.server.mode']
  if (mode === 'disabled' || config['tls.test.mode.enable']) return { mode }
  const identity = identityOf(config, disk, 'server')
  if (identity === undefined) {
    throw new Failure(
      'ECONFIG',
      'tls.test.mode.enable=false wants tls.server.keyPath and tls.server.certPath, or tls.server.mode=disabled',
    )
  }
  const clientAuth = config['tls.server.need.client.auth']
  if (!config['tls.server.authClient']) return { mode, identity, clientAuth }
  if (config['tls.server.trustCertPath'] === '') {
    throw new Failure(
      'ECONFIG',
      'tls.server.authClient=true wants the authorities of clients: tls.server.trustCertPath',
    )
  }
  return { mode, identity, clientAuth, ca: fileOf(config, disk, 'tls.server.trustCertPath') }
}

/** What it connects to name servers with; undefined: plain. Errors as above. */
export function tlsClientOf(config: TlsConfig, disk: Reader): TlsClient | undefined {
  if (!config['tls.enable']) return undefined
  if (config['tls.test.mode.enable']) return { trust: 'any' }
  const identity = identityOf(config, disk, 'client')
  if (!config['tls.client.authServer']) return { trust: 'any', identity }
  const ca = config['tls.client.trustCertPath'] === '' ? undefined : fileOf(config, disk, 'tls.client.trustCertPath')
  return { trust: 'chain', identity, ca }
}

/** Files that are named and not read, which RocketMQ does not say. */
export function ignoredInTestMode(config: TlsConfig): string[] {
  if (!config['tls.test.mode.enable'] || config['tls.server.mode'] === 'disabled') return []
  return Object.entries(config).flatMap(([key, value]) => (/(key|[cC]ert)Path$/.test(key) && value !== '' ? [key] : []))
}

function identityOf(config: TlsConfig, disk: Reader, side: 'server' | 'client'): TlsIdentity | undefined {
  const keyPath = `tls.${side}.keyPath` as const
  const certPath = `tls.${side}.certPath` as const
  if (config[keyPath] === '' && config[certPath] === '') return undefined
  if (config[keyPath] === '' || config[certPath] === '') {
    throw new Failure('ECONFIG', `${keyPath} and ${certPath} belong together, and one of them is missing`)
  }
  const passphrase = config[`tls.${side}.keyPassword`] || undefined
  return { key: fileOf(config, disk, keyPath), cert: fileOf(config, disk, certPath), passphrase }
}

type PathKey = `tls.${'server' | 'client'}.${'keyPath' | 'certPath' | 'trustCertPath'}`

function fileOf(config: TlsConfig, disk: Reader, key: PathKey): Pem {
  try {
    return disk.readFile(config[key])
  } catch (cause) {
    throw new Failure('ECONFIG', `${key}=${config[key]} cannot be read: ${(cause as Error).message}`, { cause })
  }
}
