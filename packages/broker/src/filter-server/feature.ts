import type { Service } from '@skua-mq/runtime'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { FilterProcesses } from './filter-processes.ts'
import { FilterServers } from './filter-servers.ts'
import { filterServerRoutes } from './routes.ts'

type Needs = On<'config' | 'runtime' | 'brokerAddr' | 'bindAddress' | 'startFilterProcess'>

/** Servers beside the broker that filter by JavaScript, and their processes. */
export const filterServers: Feature<Needs, { filterServers: FilterServers }> = {
  name: 'filter servers',
  make: needs => {
    const table = new FilterServers(needs.runtime.clock)
    return {
      gives: { filterServers: table },
      tables: [table],
      routes: filterServerRoutes(table, needs.config),
      presence: processes(needs),
    }
  },
}

function processes({ config, runtime, brokerAddr, bindAddress, startFilterProcess }: Needs): Service[] {
  const count = config.filterServerNums
  if (count === 0 || startFilterProcess === undefined) return []
  const { filterCallTimeoutMs: callTimeoutMs, filterMemoryBytes: memoryBytes } = config
  const plan = { brokerAddr, bindAddress: bindAddress || '0.0.0.0', callTimeoutMs, memoryBytes }
  return [new FilterProcesses({ ...runtime, count, plan, startProcess: startFilterProcess })]
}
