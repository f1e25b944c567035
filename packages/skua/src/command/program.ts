import { didYouMean } from '@skua-mq/runtime'
import { Argument, Command, CommanderError, InvalidArgumentError } from 'commander'
import { everyOne } from './every-one.ts'
import { fail, oneLine } from './fail.ts'
import { pair } from './pair.ts'
import { orderHelp } from './people/help.ts'
import { addPeopleCommands } from './people/register.ts'
import { positive } from './positive.ts'
import { addServerCommands } from './server-commands.ts'
import { addStoreCommands } from './store-commands.ts'
import type { Surroundings } from './surroundings.ts'
import { version } from './version.ts'

const port = (text: string): number => {
  const value = Number(text)
  if (!Number.isInteger(value) || value < 0 || value > 65_535) throw new InvalidArgumentError('a port is wanted')
  return value
}

/** Subcommands are loaded when they run: a broker does not wait for the client library, nor the reverse. */
function program(env: NodeJS.ProcessEnv, calledAs: string): Command {
  const surroundings: Surroundings = {
    namesrvAddr: env['NAMESRV_ADDR'],
    home: env['HOME'] ?? '.',
    rocketmqHome: env['ROCKETMQ_HOME'],
  }
  const skua = new Command('skua')
    // What stands behind a subcommand is that one's.
    .enablePositionalOptions()
    .description('A message broker that speaks RocketMQ. Without a subcommand: name server and broker in this process.')
    .version(version, '--version', 'print the version')
    .option('--store <dir>', 'where messages are kept', '.skua')
    .option('--memory', 'keep nothing on disk')
    .option('--host <address>', 'address to listen on and to tell clients', '127.0.0.1')
    .option('--port <port>', 'port of the broker; the second listener is on this minus 2; 0: any free one', port, 10911)
    .option('--namesrv-port <port>', 'port of the name server', port)
    .option('--grpc-port <port>', 'port for gRPC clients; default 8081, where it is free; 0: any free one', port)
    .option('--no-grpc', 'none is opened for them')
    .option('--dashboard-port <port>', 'port of the dashboard; default 8090, where it is free; 0: any free one', port)
    .option('--no-dashboard', 'none is served; with --port 0 only with --dashboard-port')
    .option('--topics <file>', 'topics to begin with, YAML or JSON: names, or name, queues and type of each')
    .option('--config <k=v>', 'a key of broker.conf; may be given several times', pair)
    .option('--log-dir <dir>', 'write the log there, with rotation; standard error keeps warnings and errors')
    .option('--log-json', 'a JSON object for each line of the log')
    .action(async options => (await import('./standalone.ts')).runStandalone({ ...options, calledAs }))
  addServerCommands(skua, surroundings)
  addPeopleCommands(skua, {
    env,
    done: exitCode => {
      process.exitCode = exitCode
    },
  })
  addMessageCommands(skua, surroundings, env)
  addStoreCommands(skua)
  skua.command('mqadmin').argument('[args...]').description('Apache’s operator commands: skua mqadmin lists them')
  skua
    .command('completion')
    .addArgument(new Argument('<shell>').choices(['bash', 'zsh', 'fish']))
    .description('print what completes skua and mqadmin in a shell: source <(skua completion bash)')
    .action(async shell => (await import('./completion/completion.ts')).printCompletion(skua, shell))
  orderHelp(skua)
  return skua
}

/** What sends and reads as a client. */
function addMessageCommands(skua: Command, surroundings: Surroundings, env: NodeJS.ProcessEnv): void {
  const client = (command: Command) =>
    command
      .option('-n, --namesrv-addr <addr>', 'name server', surroundings.namesrvAddr ?? '127.0.0.1:9876')
      .option('--tls', 'connect with TLS, whatever the certificate of the server')
      .option('--tls-ca <file>', 'connect with TLS; the certificate must be of this authority (PEM)')
      .option('--access-key <key>', 'account of a broker with access control', env['SKUA_ACCESS_KEY'])
      .option(
        '--secret-key <key>',
        'its secret; better in SKUA_SECRET_KEY: others see command lines',
        env['SKUA_SECRET_KEY'],
      )
  client(skua.command('send').argument('<topic>').argument('<body>'))
    .description('send messages; exit code 2 when one is stored less safely than the broker was told to')
    .option('--tag <tag>', 'tag of the messages')
    .option('--key <key>', 'key to find them by; may be given several times', everyOne)
    .option('--property <k=v>', 'user property; may be given several times', pair)
    .option('--delay <s>', 'deliver so many seconds later; brokers with the timer', positive)
    .option('--order-key <key>', 'messages of the same key go into the same queue, in their order')
    .option('--count <n>', 'how many', positive, 1)
    .action(async (topic, body, options) => (await import('./send.ts')).runSend({ topic, body, ...options }))
  client(skua.command('tail').argument('<topic>'))
    .description('print messages of a topic as they come')
    .option('--tags <expression>', 'only these tags: A || B', '*')
    .option('--sql <expression>', 'an SQL92 filter in place of tags; brokers take it with enablePropertyFilter')
    .option('--from-start', 'begin with the oldest message')
    .option('--count <n>', 'end after so many', positive)
    .action(async (topic, options) => (await import('./tail.ts')).runTail({ topic, ...options }))
}

/** Flags of Apache's mqproxy with two letters behind one hyphen, which commander reads as two flags. */
const twoLetters: Readonly<Record<string, string>> = {
  '-pc': '--proxy-config-path',
  '-pm': '--proxy-mode',
  '-bc': '--broker-config-path',
}
const longFlag = (arg: string): string => twoLetters[arg] ?? arg

/** Parses and runs; what goes wrong is one line on standard error and exit code 1. */
export async function runCommand(args: readonly string[], env: NodeJS.ProcessEnv, calledAs: string): Promise<void> {
  // Its subcommands have Apache's flags, of which commander is to know nothing here.
  if (args[0] === 'mqadmin') {
    process.exitCode = await (await import('./mqadmin/mqadmin.ts')).runMqadmin(args.slice(1), { env })
    return
  }
  const skua = program(env, calledAs)
  const [first] = args
  const names = ['help', ...skua.commands.flatMap(command => [command.name(), ...command.aliases()])]
  if (first !== undefined && !first.startsWith('-') && !names.includes(first))
    fail(
      `there is no command ${first}${didYouMean(first, names)}${didYouMean(first, names) === '' ? ':' : ''} skua help lists all`,
    )
  for (const command of [skua, ...skua.commands.flatMap(below => [below, ...below.commands])])
    command.exitOverride().configureOutput({ writeErr: text => process.stderr.write(text) })
  try {
    await skua.parseAsync(args[0] === 'proxy' ? args.map(longFlag) : [...args], { from: 'user' })
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? 0 : 1
      return
    }
    fail(oneLine(error))
  }
}
