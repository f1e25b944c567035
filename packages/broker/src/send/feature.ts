import { encodeHost, halfTopic, hotSend, UniqueIds } from '@skua-mq/protocol'
import { type Channel, hotRoute } from '@skua-mq/remoting'
import type { PutResult } from '@skua-mq/store'
import { over } from '../config/over.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import type { MessageCounts } from '../stats/feature.ts'
import type { Traffic } from '../stats/traffic.ts'
import type { TopicTable } from '../topic/topic-table.ts'
import type { TransactionMetrics } from '../transaction/transaction-metrics.ts'
import { MessageKind } from './message-kind.ts'
import type { Sent } from './pending-send.ts'
import { SendHandler } from './send-handler.ts'

type Needs = On<'config' | 'live' | 'runtime' | 'dialect' | 'facts' | 'store' | 'storeHost' | 'furniture'> & {
  topics: TopicTable
  traffic: Traffic
  counts: MessageCounts | undefined
  halves: TransactionMetrics | undefined
}

/** Messages of producers. */
export const sends: Feature<Needs> = {
  name: 'sends',
  make: needs => {
    const { config, live, runtime, dialect, store, storeHost, furniture, topics } = needs
    const handler = new SendHandler({
      ...{ store, topics, random: runtime.random, steps: furniture.steps },
      announced: () => furniture.announced(),
      dialect,
      ids: idsOf(needs),
      now: () => runtime.clock.now(),
      settings: over(config, { brokerPermission: () => config.brokerPermission, storeHost }),
      counted: countedBy(needs),
    })
    live.onChange(() => handler.regionChanged())
    return { hot: [hotRoute(hotSend, (view, token) => handler.handle(view, token, bornHostOf(token.connection)))] }
  },
}

/** As a Java broker makes them: of its address, its process and something that no other has. */
const idsOf = ({ storeHost, facts, runtime: { random } }: Needs): UniqueIds =>
  new UniqueIds({
    ip: storeHost.subarray(0, storeHost.length - 4),
    pid: facts.pid,
    instance: random.int(0x7fff_ffff),
    counter: random.int(0x1_0000),
  })

function countedBy({ traffic, counts, halves }: Needs): (sent: Sent, result: PutResult) => void {
  return (sent, result) => {
    if (!result.isStored) {
      traffic.putFailed++
      return
    }
    traffic.countPut(sent.topic, result.count, result.size)
    if (counts === undefined) return
    counts.in.count(sent.storedTopic, sent.kind, result)
    if (sent.kind === MessageKind.transaction && sent.storedTopic === halfTopic) halves?.began(sent.topic)
  }
}

const unknownHost = new Uint8Array(8)

/** The peer's address as records carry it, made once per connection. */
function bornHostOf(channel: Channel): Uint8Array {
  channel.remoteHost ??= encodeHost(channel.remote.host, channel.remote.port) ?? unknownHost
  return channel.remoteHost
}
