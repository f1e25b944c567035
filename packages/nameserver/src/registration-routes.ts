import { crc32 } from 'node:zlib'
import {
  addWritePermOfBroker,
  deleteTopicInNamesrv,
  getKvListByNamespace,
  queryDataVersion,
  ResponseCode,
  registerBroker,
  registerTopicInNamesrv,
  unregisterBroker,
  wipeWritePermOfBroker,
} from '@skua-mq/protocol'
import { ok, type Route, refuse, route } from '@skua-mq/remoting'
import { delay } from '@skua-mq/runtime'
import { orderTopicNamespace } from './kv-config.ts'
import type { NameServerParts } from './parts.ts'
import type { Registered } from './route-table.ts'

/** What changes the routes: 103, 104, 322 and 217 of brokers, 205, 327 and 216 of tools. */
export function registrationRoutes(parts: NameServerParts): Route[] {
  const { routes, intake } = parts
  /** What a tool says comes behind what brokers said before, of which some may wait. */
  const behind = <T>(change: () => T | Promise<T>): T | Promise<T> => {
    const settled = intake.settled()
    return settled === undefined ? change() : settled.then(change)
  }
  return [
    registerRoute(parts),
    route(unregisterBroker, ({ brokerName, brokerAddr }) => {
      intake.withdraw({ brokerName, brokerAddr })
      routes.unregister({ brokerName, brokerAddr })
      intake.sweep()
      return ok({})
    }),
    route(queryDataVersion, ({ brokerAddr }, { body }) => {
      const { changed, known } = routes.queryDataVersion(brokerAddr, queryDataVersion.body!.decode(body), parts.now())
      return ok({ changed }, known === undefined ? undefined : queryDataVersion.replyBody!.encode(known))
    }),
    route(registerTopicInNamesrv, ({ topic }, { body }) => {
      const { queueDatas } = registerTopicInNamesrv.body!.decode(body)
      return behind(() => {
        routes.registerTopic(topic, queueDatas)
        return ok({})
      })
    }),
    route(wipeWritePermOfBroker, ({ brokerName }) =>
      behind(() => setWritable(parts, { brokerName, writable: false }, wipeTopicCount => ok({ wipeTopicCount }))),
    ),
    route(addWritePermOfBroker, ({ brokerName }) =>
      behind(() => setWritable(parts, { brokerName, writable: true }, addTopicCount => ok({ addTopicCount }))),
    ),
    route(deleteTopicInNamesrv, ({ topic, clusterName }) =>
      behind(() => {
        routes.deleteTopic(topic, clusterName)
        return ok({})
      }),
    ),
  ]
}

/** Topics whose write bit is changed in one turn. */
const topicsPerTurn = 1000

/** At once for a broker of few topics, else some of them in a turn. */
function setWritable<T>(
  { routes, clock }: Pick<NameServerParts, 'routes' | 'clock'>,
  { brokerName, writable }: { brokerName: string; writable: boolean },
  answer: (count: number) => T,
): T | Promise<T> {
  const { count, step } = routes.settingWritable(brokerName, writable)
  if (step(topicsPerTurn)) return answer(count)
  const rest = async () => {
    do await delay(clock, 0)
    while (!step(topicsPerTurn))
    return answer(count)
  }
  return rest()
}

/** The answer tells a slave where its master is, and every broker which of its topics are ordered. */
function registerRoute({ intake, kv, registeredBy }: NameServerParts): Route {
  return route(registerBroker, (header, { body, connection }) => {
    if (header.bodyCrc32 !== 0 && header.bodyCrc32 !== (crc32(body) & 0x7fff_ffff)) {
      return refuse(ResponseCode.systemError, 'the CRC of the register body does not match: it was damaged on its way')
    }
    const answer = (reply: Registered['reply']) => {
      registeredBy(connection, header.brokerAddr)
      const orderTopics = kv.namespace(orderTopicNamespace)
      if (orderTopics === undefined) return ok(reply)
      return ok(reply, getKvListByNamespace.replyBody!.encode({ table: new Map(orderTopics) }))
    }
    const taken = intake.take({
      cluster: header.clusterName,
      brokerName: header.brokerName,
      brokerAddr: header.brokerAddr,
      brokerId: header.brokerId,
      haServerAddr: header.haServerAddr,
      expiryMs: header.heartbeatTimeoutMillis,
      connectionId: connection.id,
      isOpen: () => connection.open,
      bytes: body,
    })
    return taken instanceof Promise ? taken.then(answer) : answer(taken)
  })
}
