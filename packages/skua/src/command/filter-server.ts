import { FilterServer } from '@skua-mq/filter-server'
import { nodeRuntime } from '@skua-mq/runtime'
import { openLog } from './log/log.ts'
import { untilSignal } from './run.ts'

export interface FilterServerCommand {
  readonly broker: string
  readonly bind: string
  readonly callTimeoutMs: number
  readonly memoryBytes: number
}

/** `skua filterserver`: started by brokers with filterServerNums; ends when its broker does. */
export async function runFilterServer(command: FilterServerCommand): Promise<void> {
  const start = async () => {
    const server = new FilterServer({
      runtime: nodeRuntime(openLog('filterserver', 'filterserver.log').events),
      brokerAddr: command.broker,
      listen: { host: command.bind, port: 0 },
      advertisedHost: command.broker.slice(0, command.broker.lastIndexOf(':')).replace(/^\[|\]$/g, ''),
      callTimeoutMs: command.callTimeoutMs,
      memoryBytes: command.memoryBytes,
      onAbandoned: reason => {
        process.stderr.write(`skua: filter server ends, its broker does not answer: ${reason}\n`)
        process.exit(1)
      },
    })
    await server.start()
    return server
  }
  // Ctrl-C in a terminal reaches the broker as well, which then ends this process.
  await untilSignal(start, { ignoreHangUp: true })
}
