import { Perm, type QueueData, type TopicRouteData } from '@skua-mq/protocol'
import { type CallContext, unary } from '../grpc/method.ts'
import { isIP } from '../message/address.ts'
import { topicOf } from '../message/checks.ts'
import { okStatus, Refused } from '../refused.ts'
import { Code } from '../v2/code.ts'
import { AddressScheme, type MessageType, Permission } from '../v2/enums.ts'
import {
  QueryAssignmentRequest,
  QueryAssignmentResponse,
  QueryRouteRequest,
  QueryRouteResponse,
} from '../v2/requests.ts'
import type { EndpointsDraft, QueueDraft } from '../v2/shared.ts'
import { answered, type Ground } from './ground.ts'

type Needs = Pick<Ground, 'users' | 'types' | 'groups' | 'clients' | 'config' | 'port'>

/** Where the topic's brokers are for this client: where it came to (grpc.md 6). */
export const queryRoute = (needs: Needs) =>
  unary(
    'QueryRoute',
    { request: QueryRouteRequest, response: QueryRouteResponse },
    answered(needs, async ({ topic, endpoints }, { context, user }) => {
      const name = topicOf(topic)
      const route = await user.brokers.route(name)
      const accepted = await needs.types.accepted(name, user.brokers)
      const at = endpointsFor(endpoints, context, needs)
      const messageQueues = route.queueDatas.flatMap(data => queuesOf(data, { name, route, at, accepted }))
      return { status: okStatus, messageQueues }
    }),
  )

/** What a push consumer receives from: a broker's queues together, or one by one where order counts. */
export const queryAssignment = (needs: Needs) =>
  unary(
    'QueryAssignment',
    { request: QueryAssignmentRequest, response: QueryAssignmentResponse },
    answered(needs, async ({ topic, group, endpoints }, { context, user }) => {
      const name = topicOf(topic)
      const route = await user.brokers.route(name)
      const { isFifo } = await needs.groups.facts(group?.name ?? '', name, user.brokers)
      const at = endpointsFor(endpoints, context, needs)
      const assignments = route.queueDatas
        .filter(({ perm, readQueueNums }) => (perm & Perm.read) !== 0 && readQueueNums > 0)
        .filter(({ brokerName }) => masterOf(route, brokerName) !== undefined)
        .flatMap(({ brokerName, readQueueNums }) => {
          const ids = isFifo ? Array.from({ length: readQueueNums }, (_, id) => id) : [-1]
          const broker = { name: brokerName, id: 0, endpoints: at }
          return ids.map(id => ({
            messageQueue: { topic: { name }, id, permission: Permission.read, broker },
          }))
        })
      if (assignments.length === 0) throw new Refused(Code.forbidden, `no queue of topic ${name} can be read`)
      return { status: okStatus, assignments }
    }),
  )

const masterOf = (route: TopicRouteData, name: string): string | undefined =>
  route.brokerDatas.find(({ brokerName }) => brokerName === name)?.brokerAddrs.get(0)

/** What the client named, with the port of gRPC; where it named nothing, what it dialled. */
function endpointsFor(
  given: EndpointsDraft | undefined,
  { authority, local }: CallContext,
  { config, port }: Pick<Needs, 'config' | 'port'>,
): EndpointsDraft {
  const addresses = given?.addresses ?? []
  if (addresses.length > 0) {
    const keeps = config.useEndpointPortFromRequest
    return {
      scheme: given?.scheme ?? AddressScheme.domainName,
      addresses: addresses.map(({ host = '', port: named = 0 }) => ({ host, port: keeps ? named : port() })),
    }
  }
  const host = authority.replace(/:\d+$/, '').replace(/^\[|\]$/g, '') || local.host
  const kind = isIP(host)
  const scheme = kind === 4 ? AddressScheme.ipv4 : kind === 6 ? AddressScheme.ipv6 : AddressScheme.domainName
  return { scheme, addresses: [{ host, port: port() }] }
}

interface QueueFacts {
  readonly name: string
  readonly route: TopicRouteData
  readonly at: EndpointsDraft
  readonly accepted: readonly MessageType[]
}

/** One for every queue: those that can only be read, only be written, and both, counted through. */
function queuesOf(data: QueueData, { name, route, at, accepted }: QueueFacts): QueueDraft[] {
  const broker = route.brokerDatas.find(({ brokerName }) => brokerName === data.brokerName)
  const ids = [...(broker?.brokerAddrs.keys() ?? [])]
  const queues: QueueDraft[] = []
  const permissions = permissionsOf(data)
  for (const brokerId of ids.includes(0) ? [0] : ids)
    for (const [id, permission] of permissions.entries())
      queues.push({
        ...{ topic: { name }, id, permission, acceptMessageTypes: accepted },
        broker: { name: data.brokerName, id: brokerId, endpoints: at },
      })
  return queues
}

function permissionsOf({ perm, readQueueNums: read, writeQueueNums: write }: QueueData): Permission[] {
  const times = (count: number, permission: Permission) => Array.from({ length: count }, () => permission)
  const isReadable = (perm & Perm.read) !== 0
  const isWritable = (perm & Perm.write) !== 0
  if (isReadable && isWritable) {
    const both = Math.min(read, write)
    return [
      ...times(read - both, Permission.read),
      ...times(write - both, Permission.write),
      ...times(both, Permission.readWrite),
    ]
  }
  if (isReadable) return times(read, Permission.read)
  if (isWritable) return times(write, Permission.write)
  return times(Math.max(1, write, read), Permission.none)
}
