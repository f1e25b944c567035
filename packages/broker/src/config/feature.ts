import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { configRoutes } from './routes.ts'

type Needs = On<'live' | 'config' | 'dialect' | 'brokerAddr'>

/** The configuration, read and changed by tools. */
export const configuration: Feature<Needs> = {
  name: 'configuration',
  make: needs => ({ routes: configRoutes(needs.live, () => effective(needs), needs.dialect) }),
}

/** What RocketMQ's broker sets itself at its start, so that tools show it. */
function effective({ config, brokerAddr }: Needs): Record<string, string> {
  const brokerIP1 = config.brokerIP1 || brokerAddr.slice(0, brokerAddr.lastIndexOf(':'))
  return {
    brokerIP1,
    brokerIP2: config.brokerIP2 || brokerIP1,
    haListenPort: String(config.listenPort + 1),
    storePathCommitLog: config.storePathCommitLog || `${config.storePathRootDir}/commitlog`,
  }
}
