import { bloomParameters, dialectOf, encodeHost } from '@skua-mq/protocol'
import { RemotingClient } from '@skua-mq/remoting'
import type { LiveConfig } from '@skua-mq/runtime'
import { Store } from '@skua-mq/store'
import type { BrokerConfig, brokerOptions } from '../config/options.ts'
import type { Descriptors } from '../descriptors.ts'
import type { BrokerOptions } from '../embedding.ts'
import { FilterBitmaps } from '../filter/filter-bitmaps.ts'
import { SlaveProgress } from '../ha/slave-progress.ts'
import { TableFile } from '../persist/table-file.ts'
import { specialQueues } from '../special-queues.ts'
import { storeConfigOf } from '../store-config.ts'
import type { Ground } from './ground.ts'
import { Furniture } from './house.ts'
import { brokerAddrOf, ownHost } from './own-address.ts'

interface GroundParts extends Pick<Ground, 'book' | 'election' | 'reopen' | 'isReopening'> {
  readonly live: LiveConfig<typeof brokerOptions>
  readonly descriptors: Descriptors
}

/** Makes the store and what else all features stand on. Nothing begins, and nothing is touched on disk. */
export function buildGround(
  options: BrokerOptions,
  { live, descriptors, book, election, reopen, isReopening }: GroundParts,
): Ground & { readonly store: Store } {
  const { runtime, facts, totalMemoryBytes, bindAddress = '', startFilterProcess, tlsClient, family = [] } = options
  const config = live.values
  const { maxOpenFiles, slaveCrowd } = descriptors
  const addresses = addressesOf(options, config)
  const bitmaps = filterBitmaps(config)
  const progress = new SlaveProgress(
    () => store.maxPhysicalOffset,
    () => config.haSlaveFallbehindMax,
    () => config.inSyncReplicas,
  )
  const store = new Store(storeConfigOf(config, { storeHost: addresses.storeHost, totalMemoryBytes, maxOpenFiles }), {
    ...{ ...runtime, facts, bitmaps, replicas: progress },
    special: specialQueues(config),
  })
  const gone: ((address: string) => void)[] = []
  const dialect = dialectOf(config.dialect)
  const client = new RemotingClient({
    ...runtime,
    version: dialect.version,
    tls: tlsClient,
    onGone: address => {
      for (const listener of gone) listener(address)
    },
  })
  const { disk, events } = runtime
  return {
    ...{
      config,
      live,
      dialect,
      runtime,
      facts,
      measures: config.metricsExporterType === 'PROM',
      store,
      client,
      bindAddress,
      slaveCrowd,
      totalMemoryBytes,
      family,
      startFilterProcess,
      progress,
      bitmaps,
      book,
      election,
      ...{ reopen, isReopening },
    },
    ...addresses,
    homeDisk: options.homeDisk ?? disk,
    serverGone: { add: listener => gone.push(listener) },
    file: (name, codec) =>
      new TableFile({ disk, events, codec, path: `${config.storePathRootDir}/config/${name}.json` }),
    furniture: new Furniture(),
  }
}

/** Records hold addresses only: where clients are told a name, they carry what it leads to. */
function addressesOf({ runtime, storeAddress }: BrokerOptions, config: BrokerConfig) {
  const own = ownHost(runtime)
  const storeHost = (encodeHost(config.brokerIP1 || own, config.listenPort) ??
    encodeHost(storeAddress ?? own, config.listenPort)) as Uint8Array
  return { storeHost, brokerAddr: brokerAddrOf(runtime, config) }
}

function filterBitmaps(config: BrokerConfig): FilterBitmaps | undefined {
  if (!config.enableCalcFilterBitMap) return undefined
  const { maxErrorRateOfBloomFilter: errorPercent, expectConsumerNumUseFilter: keys } = config
  return new FilterBitmaps(bloomParameters({ errorPercent, keys }))
}
