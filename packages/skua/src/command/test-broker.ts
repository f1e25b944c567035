import { fstatSync } from 'node:fs'
import type { BrokerConfig } from '@skua-mq/broker'
import { every, nodeRuntime } from '@skua-mq/runtime'
import { ControlRoutes, ControlServer, startBroker } from '@skua-mq/testing'
import { readBrokerConfig } from './broker-config.ts'
import { untilSignal } from './run.ts'
import { readTopics } from './topics-file.ts'

export interface TestBrokerCommand {
  readonly clock: 'virtual' | 'real'
  readonly store: string
  readonly topics?: string
  readonly seed?: string
  readonly random: number
  readonly startTime?: string
  readonly port?: number
  readonly namesrvPort?: number
  readonly controlPort: number
  readonly config?: Record<string, string>
}

/** How often it is looked whether the parent is there. */
const parentLookMs = 500

/** `skua test-broker`: one JSON line with addresses, and an end with whoever has started it. */
export async function runTestBroker(command: TestBrokerCommand): Promise<void> {
  const parent = process.ppid
  const further = Object.entries(command.config ?? {}).map(([key, value]) => ({ key, value, source: '--config' }))
  const { config: read } = readBrokerConfig({ file: undefined, further, env: {} })
  const given = Object.fromEntries(Object.entries(read).filter(([key]) => key in (command.config ?? {})))
  const start = async () => {
    const { clock, store, seed, startTime, random, port, namesrvPort: nameServerPort } = command
    const topics = command.topics === undefined ? undefined : readTopics(command.topics)
    const broker = await startBroker({
      ...{ clock, store, seed, startTime, random, port, nameServerPort, topics },
      config: given as Partial<BrokerConfig>,
    })
    const control = new ControlServer(new ControlRoutes(broker, end))
    const stop = async () => {
      await control.close()
      await broker.stop()
    }
    try {
      return { stop, broker, control: await control.listen(command.controlPort) }
    } catch (error) {
      await broker.stop()
      throw error
    }
  }
  const { broker, control } = await untilSignal(start, { ignoreHangUp: false })
  endWith(parent)
  const { namesrvAddr, brokerAddr } = broker
  process.stdout.write(`${JSON.stringify({ namesrvAddr, brokerAddr, control, pid: process.pid })}\n`)
}

/** As a signal ends it. */
const end = () => void process.kill(process.pid, 'SIGTERM')

/** When standard input is a pipe and closes, or the parent is gone. A terminal, or /dev/null, says nothing. */
function endWith(parent: number): void {
  const input = fstatSync(0, { bigint: false })
  if (input.isFIFO() || input.isSocket()) process.stdin.on('end', end).on('error', end).resume()
  every(nodeRuntime().clock, parentLookMs, () => {
    if (process.ppid !== parent) end()
  })
}
