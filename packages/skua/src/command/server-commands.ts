import { type Command, InvalidArgumentError, Option } from 'commander'
import { defaultDashboardPort } from './dashboard-options.ts'
import { everyOne } from './every-one.ts'
import { memberPlace } from './member.ts'
import { pair } from './pair.ts'
import { positive } from './positive.ts'
import type { Surroundings } from './surroundings.ts'

/** One server in a process, as Apache's scripts start them. */
export function addServerCommands(skua: Command, surroundings: Surroundings): void {
  skua
    .command('nameserver')
    .description('a name server alone')
    .option('-c, --config-file <file>', 'properties file with RocketMQ’s keys')
    .option('-p, --print-config', 'print the configuration and end')
    .option('-n, --namesrv-addr <addr>', 'taken for compatibility; a name server needs none')
    .option('--log-dir <dir>', 'write the log there, with rotation; standard error keeps warnings and errors')
    .option('--log-json', 'a JSON object for each line of the log')
    .action(async options => (await import('./name-server.ts')).runNameServer(options, surroundings))
  skua
    .command('broker')
    .description('a broker alone, or several of one family (--masters)')
    .option('-c, --config-file <file>', 'properties file with RocketMQ’s keys (broker.conf)')
    .option('-n, --namesrv-addr <addr>', 'name servers, host:port joined by ;')
    .option('-p, --print-config', 'print the configuration and end')
    .option('-m, --print-important-config', 'as -p')
    .option('--masters <n>', 'so many brokers of one family, each in a process of its own, one per core', positive)
    .option('--config <k=v>', 'a key of broker.conf; may be given several times', pair)
    .addOption(new Option('--member <place>', 'which one of them this is').argParser(memberPlace).hideHelp())
    .option('--log-dir <dir>', 'write the log there, with rotation; standard error keeps warnings and errors')
    .option('--log-json', 'a JSON object for each line of the log')
    .action(async options => (await import('./broker.ts')).runBroker(options, surroundings))
  skua
    .command('proxy')
    .description('the endpoint for gRPC clients alone, before brokers of ours or of Apache’s')
    .option('-n, --namesrv-addr <addr>', 'name servers, host:port joined by ;')
    .option('--proxy-config-path <file>', 'rmq-proxy.json; -pc says the same')
    .option('--proxy-mode <mode>', 'CLUSTER, or LOCAL: with a broker in this process; -pm says the same')
    .option('--broker-config-path <file>', 'broker.conf of the broker in this process; -bc says the same')
    .option('--log-dir <dir>', 'write the log there, with rotation; standard error keeps warnings and errors')
    .option('--log-json', 'a JSON object for each line of the log')
    .action(async options => (await import('./proxy.ts')).runProxy(options, surroundings))
  skua
    .command('filterserver')
    .description('a filter server, as brokers with filterServerNums start them')
    .requiredOption('--broker <addr>', 'its broker, host:port')
    .option('--bind <address>', 'address to listen on, at any free port', '127.0.0.1')
    .option('--call-timeout-ms <ms>', 'longest run of a filter for one message', positive, 100)
    .option('--memory-bytes <n>', 'memory of one filter', positive, 16_777_216)
    .action(async options => (await import('./filter-server.ts')).runFilterServer(options))
  addDashboard(skua, surroundings)
  addTestBroker(skua)
}

function addDashboard(skua: Command, { namesrvAddr }: Surroundings): void {
  const port = (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError('a port is wanted')
    return value
  }
  skua
    .command('dashboard')
    .description('the web page for operators, before any cluster, Apache’s as well')
    .option(
      '-n, --namesrv-addr <addr>',
      'name servers, host:port joined by ; or name=host:port; again for each further cluster',
      everyOne,
    )
    .option('--port <port>', 'port of the page; 0: any free one', port, defaultDashboardPort)
    .option('--host <address>', 'address to listen on; any other than loopback needs --accounts', '127.0.0.1')
    .option('--accounts <file>', 'who may come in, as skua dashboard-account makes it')
    .option(
      '--allow-host <name>',
      'a further name by which browsers come, behind a proxy; may be given several times',
      everyOne,
    )
    .option('--base-path <path>', 'where a proxy has it: /mq')
    .option('--read-only', 'nobody changes anything')
    .option('--changes <file>', 'keep there what was changed, by whom and when; without it that is in memory')
    .option('--max-streams <n>', 'live tails, searches and downloads that are open at a time', positive, 32)
    .option('--max-streams-per-user <n>', 'of these, of one user; default: half', positive)
    .option('--timeout-ms <ms>', 'longest wait for a broker', positive, 5000)
    .option('--tls', 'connect with TLS, whatever the certificate of the server')
    .option('--tls-ca <file>', 'connect with TLS; the certificate must be of this authority (PEM)')
    .option('--access-key <key>', 'account of brokers with access control', process.env['SKUA_ACCESS_KEY'])
    .option(
      '--secret-key <key>',
      'its secret; better in SKUA_SECRET_KEY: others see command lines',
      process.env['SKUA_SECRET_KEY'],
    )
    .action(async options => {
      const { runDashboard } = await import('./dashboard.ts')
      await runDashboard({ namesrvAddr: [namesrvAddr ?? '127.0.0.1:9876'], ...options })
    })
  skua
    .command('dashboard-account')
    .argument('<file>')
    .argument('<name>')
    .description('add an account to a file for dashboard --accounts; the password comes by standard input')
    .addOption(
      new Option('--role <role>', 'view looks, admin changes as well').choices(['view', 'admin']).default('view'),
    )
    .action(async (file, name, options) =>
      (await import('./dashboard-account.ts')).runDashboardAccount({ file, name, ...options }),
    )
}

function addTestBroker(skua: Command): void {
  const number = (text: string): number => {
    const value = Number(text)
    if (!Number.isInteger(value) || value < 0) throw new InvalidArgumentError('a whole number is wanted')
    return value
  }
  skua
    .command('test-broker')
    .description(
      'name server and broker for tests of any language: prints JSON, is told over HTTP, ends with its parent',
    )
    .addOption(
      new Option('--clock <kind>', 'time that moves when told, or the machine’s')
        .choices(['virtual', 'real'])
        .default('virtual'),
    )
    .option('--start-time <time>', 'where a virtual clock begins')
    .option('--store <dir>', 'memory, or a directory', 'memory')
    .option('--topics <file>', 'topics to begin with, YAML or JSON: names, or name, queues and type of each')
    .option('--seed <file>', 'messages to begin with, JSON lines')
    .option('--random <n>', 'seed of all that is chosen by chance', number, 1)
    .option('--port <port>', 'port of the broker; any free one by default', number)
    .option('--namesrv-port <port>', 'port of the name server', number)
    .option('--control-port <port>', 'port of the HTTP endpoint', number, 0)
    .option('--config <k=v>', 'a key of broker.conf; may be given several times', pair)
    .action(async options => (await import('./test-broker.ts')).runTestBroker(options))
}
