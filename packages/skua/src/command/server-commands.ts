import type { Command } from 'commander'
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
    .description('a broker alone')
    .option('-c, --config-file <file>', 'properties file with RocketMQ’s keys (broker.conf)')
    .option('-n, --namesrv-addr <addr>', 'name servers, host:port joined by ;')
    .option('-p, --print-config', 'print the configuration and end')
    .option('-m, --print-important-config', 'as -p')
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
}
