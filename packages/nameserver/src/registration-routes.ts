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
import { orderTopicNamespace } from './kv-config.ts'
import type { NameServerParts } from './parts.ts'
import type { Registered } from './route-table.ts'

/** What changes the routes: 103, 104, 322 and 217 of brokers, 205, 327 and 216 of tools. */
export function registrationRoutes(parts: NameServerParts): Route[] {
  const { routes } = parts
  return [
    registerRoute(parts),
    route(unregisterBroker, ({ brokerName, brokerAddr }) => {
      parts.intake.withdraw({ brokerName, brokerAddr })
      routes.unregister({ brokerName, brokerAddr })
      parts.intake.sweep()
      return ok({})
    }),
    route(queryDataVersion, ({ brokerAddr }, { body }) => {
      const { changed, known } = routes.queryDataVersion(brokerAddr, queryDataVersion.body!.decode(body), parts.now())
      return ok({ changed }, known === undefined ? undefined : queryDataVersion.replyBody!.encode(known))
    }),
    route(registerTopicInNamesrv, ({ topic }, { body }) => {
      routes.registerTopic(topic, registerTopicInNamesrv.body!.decode(body).queueDatas)
      return ok({})
    }),
    route(wipeWritePermOfBroker, ({ brokerName }) => ok({ wipeTopicCount: routes.setWritable(brokerName, false) })),
    route(addWritePermOfBroker, ({ brokerName }) => ok({ addTopicCount: routes.setWritable(brokerName, true) })),
    route(deleteTopicInNamesrv, ({ topic, clusterName }) => {
      routes.deleteTopic(topic, clusterName)
      return ok({})
    }),
  ]
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
