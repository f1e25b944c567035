import { ignoredInTestMode, type TlsConfig, tlsClientOf, tlsOptions, tlsServerOf } from '@skua-mq/remoting'
import { NodeDisk, type OptionEntry, readOptions, type TlsClient, type TlsServer } from '@skua-mq/runtime'
import { readFile, reportUnknown } from './config-file.ts'

/** TLS of a server as its configuration and `tls.config.file` say. Errors: Failure ECONFIG, OptionError. */
export function readTls(config: TlsConfig): { tls: TlsServer; tlsClient: TlsClient | undefined } {
  const disk = new NodeDisk()
  const file = config['tls.config.file']
  const final = disk.stat(file)?.directory === false ? withFile(config, file) : config
  const ignored = ignoredInTestMode(final)
  if (ignored.length > 0) {
    const keys = ignored.join(', ')
    process.stderr.write(`${keys}: not read, since tls.test.mode.enable is true, which is RocketMQ’s default\n`)
  }
  return { tls: tlsServerOf(final, disk), tlsClient: tlsClientOf(final, disk) }
}

function withFile(config: TlsConfig, file: string): TlsConfig {
  const before: OptionEntry[] = []
  for (const [key, option] of Object.entries(tlsOptions)) {
    const print = option.print as (value: unknown) => string
    before.push({ key, value: print(config[key as keyof TlsConfig]) })
  }
  const { config: final, reports } = readOptions(tlsOptions, [...before, ...readFile(file)], { file })
  reportUnknown(reports)
  return final
}
