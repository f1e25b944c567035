import { readdirSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { brokerOptions } from '@skua-mq/broker'
import { gatewayOptions } from '@skua-mq/gateway'
import { nameServerOptions } from '@skua-mq/nameserver'
import { allRequests, type RequestSpec } from '@skua-mq/protocol'
import { tlsOptions } from '@skua-mq/remoting'
import { describeOptions, type OptionTable } from '@skua-mq/runtime'
import { dashboardOptions } from '../../packages/skua/src/command/dashboard-options.ts'
import { masterOptions } from '../../packages/skua/src/masters/options.ts'
import { clientApiPage } from './client-api.ts'
import { metricsPage } from './metrics-page.ts'
import { mqadminPage } from './mqadmin.ts'
import { mqadminCompared } from './mqadmin-compared.ts'
import { settingNotesSource } from './setting-notes.ts'

const cell = (text: string): string => text.replaceAll('|', '\\|').replaceAll('\n', ' ')
const row = (cells: readonly string[]): string => `| ${cells.map(cell).join(' | ')} |`
const note = '<!-- Written by tools/docs/generate.ts from the tables in the source: edit those. -->\n\n'

function fieldsOf(fields: RequestSpec['header']): string {
  return Object.entries(fields)
    .map(
      ([name, field]) =>
        `${name}${field.wire === undefined ? '' : ` (${field.wire})`}${field.optional || field.fallback !== undefined ? '' : '!'}`,
    )
    .join(', ')
}

/** Every request code that the table knows; `!` marks a field that must be there. */
export function requestsPage(): string {
  const head = '# Requests\n\nNames on the wire stand in parentheses where they differ; `!` marks required fields.\n\n'
  const lines = [
    row(['code', 'name', 'who asks whom', 'header', 'reply header']),
    row(['---', '---', '---', '---', '---']),
  ]
  for (const request of [...allRequests].sort((a, b) => a.code - b.code)) {
    lines.push(
      row([String(request.code), request.name, request.direction, fieldsOf(request.header), fieldsOf(request.reply)]),
    )
  }
  return `${note}${head}${lines.join('\n')}\n`
}

function optionRows(table: OptionTable, effect: 'full' | 'none'): string[] {
  return describeOptions(table)
    .filter(option => option.effect === effect)
    .map(option =>
      row([
        option.key,
        option.kind,
        option.default === '' ? '' : `\`${option.default}\``,
        option.live ? 'yes' : '',
        option.help,
      ]),
    )
}

function optionTable(table: OptionTable, effect: 'full' | 'none'): string {
  return [
    row(['key', 'value', 'default', 'live', 'meaning']),
    row(['---', '---', '---', '---', '---']),
    ...optionRows(table, effect),
  ].join('\n')
}

/** Every key of the configuration files; `live` ones may be changed at run time (25, 318). */
export function optionsPage(): string {
  const head =
    '# Options\n\nKeys of broker.conf and namesrv.conf. They are RocketMQ’s; unknown keys are reported with the nearest known one and do not stop the start.\n'
  return `${note}${head}
## Broker

${optionTable(brokerOptions, 'full')}

## Broker: known to RocketMQ, without effect here

${optionTable(brokerOptions, 'none')}

## Name server

${optionTable(nameServerOptions, 'full')}

## TLS, of both servers

RocketMQ takes these as system properties and from a file of their own; here they may stand in that file, in broker.conf and
in namesrv.conf. Without any of them a port takes plain and TLS connections, the latter with a certificate that signs itself.

${optionTable(tlsOptions, 'full')}

## gRPC

Keys of broker.conf, of the environment and of rmq-proxy.json. In broker.conf grpcServerPort is 0 unless it is set, and maxMessageSize is the
broker’s.

${optionTable(gatewayOptions, 'full')}

Known to RocketMQ, without effect here:

${optionTable(gatewayOptions, 'none')}

## Dashboard

Keys of broker.conf and of the environment; docs/dashboard.md says more.

${optionTable(dashboardOptions, 'full')}

## Several masters of one start

A key of broker.conf and of the environment; docs/cluster.md says more.

${optionTable(masterOptions, 'full')}
`
}

const interop = join(dirname(fileURLToPath(import.meta.url)), '..', 'interop', 'test')
const javaClients = 'Java 4.9.8, 5.3.3 and 5.4.0'
const clientsOf = (file: string): string => {
  // Class-filter subscriptions are gone from the 5.x client.
  if (file.startsWith('java-filter-server')) return 'Java 4.9.8'
  // POP is 5.x's.
  if (file.startsWith('java-pop')) return 'Java 5.3.3 and 5.4.0'
  if (file.startsWith('grpc-node') || file.startsWith('grpc-fields')) return 'the gRPC client for Node 1.0.8'
  if (file.startsWith('grpc-python')) return 'the gRPC client for Python 5.1.2'
  if (file.startsWith('grpc-')) return 'the gRPC client for Java 5.2.0'
  if (file.startsWith('mqadmin-')) return 'Apache’s mqadmin 4.9.8 and 5.3.3'
  if (file.startsWith('java-')) return javaClients
  if (file.startsWith('other-clients')) return 'Go v2.1.2, ali-ons 3.12.0'
  if (file.startsWith('mixed-group')) return 'Java 4.9.8 and 5.3.3, Go v2.1.2 and our own together'
  return file.startsWith('benchmark')
    ? 'the official benchmark producer'
    : 'recordings of Java 4.9.8 and 5.3.3, Go v2.1.2, ali-ons 3.12.0'
}

/** Titles of tests, which are promises; those that are put together at run time are left out. */
const titlesOf = (file: string): string[] =>
  [...readFileSync(join(interop, file), 'utf8').matchAll(/\btest\(\s*(?:'((?:[^'\\]|\\.)*)'|"([^"]*)")/g)].map(
    ([, single, double]) => (single ?? double ?? '').replaceAll("\\'", "'"),
  )

/** What clients that we did not write have proven: one line for each test that would go red. */
export function compatibilityPage(): string {
  const head =
    '# What was proven with which client\n\nEach line is a test under `tools/interop/test`, run by `npm test` against Skua; the same tests run against real brokers 4.9.7 and\n5.3.3 (`SKUA_NAMESRV`), which shows that the tests are right.\n\n'
  const lines = [row(['clients', 'what', 'test file']), row(['---', '---', '---'])]
  for (const file of readdirSync(interop)
    .filter(name => name.endsWith('.test.ts'))
    .sort()) {
    for (const title of titlesOf(file)) lines.push(row([clientsOf(file), title, file]))
  }
  return `${note}${head}${lines.join('\n')}\n${mqadminCompared()}`
}

/** The generated pages by their paths in the repository. */
export const generatedPages: Readonly<Record<string, () => string>> = {
  'docs/requests.md': requestsPage,
  'docs/options.md': optionsPage,
  'docs/compatibility.md': compatibilityPage,
  'docs/metrics.md': () => metricsPage(note),
  'docs/client-api.md': () => clientApiPage(note),
  'docs/mqadmin.md': () => mqadminPage(note),
  'packages/dashboard/src/setting-notes.ts': settingNotesSource,
}
