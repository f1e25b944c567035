import { getBrokerClusterInfo, heartBeat, heartbeatBody, templateTopic } from '@skua-mq/protocol'
import { delay } from '@skua-mq/runtime'
import { emptyObject } from '../empty-object.ts'
import { ClientError, networkError } from '../error.ts'
import { checkOptions, type OptionRules } from '../option-rules.ts'
import type { ClientInstance } from './client-instance.ts'

/** What `start` of a client takes. */
export interface StartOptions {
  /**
   * Resolves when a broker has answered. A number: waits so many ms at most; true: 30000. Default: it starts without, and goes on when
   * brokers are there.
   */
  readonly waitForBroker?: boolean | number | undefined
  readonly signal?: AbortSignal | undefined
}

// True or a number.
const startRules: OptionRules<StartOptions> = { waitForBroker: 'any', signal: 'object' }
const defaultWaitMs = 30_000
const firstPauseMs = 50
const longestPauseMs = 1_000

/** Errors: ClientError NAME_SERVER, NO_BROKER, NETWORK, TIMEOUT as it was at last; the signal's reason. */
export async function waitForBroker(instance: ClientInstance, options: StartOptions): Promise<void> {
  const { waitForBroker: wish, signal } = options
  checkOptions('start', options, startRules)
  if (wish === undefined || wish === false) return
  const { clock } = instance
  const deadline = clock.monotonic() + (wish === true ? defaultWaitMs : wish)
  for (let pauseMs = firstPauseMs; ; pauseMs = Math.min(longestPauseMs, pauseMs * 2)) {
    try {
      await oneAnswers(instance, signal)
      return
    } catch (error) {
      if (signal?.aborted) throw signal.reason
      const left = deadline - clock.monotonic()
      if (left <= 0 || (error instanceof ClientError && !error.retriable)) throw error
      await delay(clock, Math.min(pauseMs, left), signal)
    }
  }
}

/** Any broker of the topics in use, else of the cluster. */
async function oneAnswers(instance: ClientInstance, signal: AbortSignal | undefined): Promise<void> {
  // A name server that is none says so here.
  await instance.routes.fetch(templateTopic, signal)
  await instance.refreshRoutes()
  await instance.heartbeats.beat()
  if (instance.heartbeats.brokerVersions.size > 0) return
  const { body } = await instance.names.request(getBrokerClusterInfo, {}, { signal })
  const { brokerAddrTable } = getBrokerClusterInfo.replyBody!.decode(body ?? emptyObject)
  const addresses = [...brokerAddrTable.values()].flatMap(({ brokerAddrs }) => [...brokerAddrs.values()])
  let last: unknown = new ClientError('NO_BROKER', 'no broker is registered with the name server', { retriable: true })
  for (const address of addresses) {
    try {
      // It says who asks, and of no group.
      const beat = heartbeatBody.encode({ clientID: instance.clientId, producerDataSet: [], consumerDataSet: [] })
      await instance.remoting.request(address, heartBeat, {}, { body: beat, signal })
      return
    } catch (error) {
      last = networkError(`asking broker ${address}`, error)
    }
  }
  throw last
}
