import type { BodyOf, HeaderOf, ReplyBodyOf, RequestSpec } from '@skua-mq/protocol'
import { getRouteInfoByTopic, ResponseCode, type TopicRouteData } from '@skua-mq/protocol'
import type { RemotingClient, TypedReply } from '@skua-mq/remoting'
import { type Clock, NetError } from '@skua-mq/runtime'
import { Refused, refusedBy } from '../refused.ts'
import { Code } from '../v2/code.ts'
import { Cache } from './cache.ts'

export interface BrokersParts {
  readonly remoting: RemotingClient
  readonly clock: Pick<Clock, 'monotonic'>
  readonly nameServers: readonly string[]
  readonly routeCacheMs: number
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the request is; its members are inferred where it is asked
type AnySpec = RequestSpec<any, any, any, any>

export interface Question<Q> {
  readonly spec: Q
  readonly header: HeaderOf<Q>
  readonly body?: Uint8Array
  /** Default 3000. */
  readonly timeoutMs?: number
  readonly signal?: AbortSignal
}

/** Most topics of which a route is remembered. */
const maxRoutes = 10_000

/** The cluster behind the gateway: where a topic lies, and what its brokers answer. */
export class Brokers {
  private readonly parts: BrokersParts
  private readonly routes: Cache<TopicRouteData>

  constructor(parts: BrokersParts) {
    this.parts = parts
    const { clock, routeCacheMs } = parts
    this.routes = new Cache({ clock, keepMs: routeCacheMs, most: maxRoutes, load: topic => this.loadRoute(topic) })
  }

  /** Throws Refused with TOPIC_NOT_FOUND. */
  route(topic: string): Promise<TopicRouteData> {
    return this.routes.get(topic)
  }

  /** Masters that have the topic, by name. */
  async masters(topic: string): Promise<ReadonlyMap<string, string>> {
    const { brokerDatas } = await this.route(topic)
    const found = new Map<string, string>()
    for (const { brokerName, brokerAddrs } of brokerDatas) {
      const address = brokerAddrs.get(0)
      if (address !== undefined) found.set(brokerName, address)
    }
    return found
  }

  /** The address of a broker's master. Throws Refused where the topic is not there. */
  async master(topic: string, brokerName: string): Promise<string> {
    const address = (await this.masters(topic)).get(brokerName)
    if (address === undefined) throw new Refused(Code.badRequest, `topic ${topic} is not on a broker "${brokerName}"`)
    return address
  }

  /** Any answer, whatever its code. Throws NetError. */
  ask<Q extends AnySpec>(address: string, { spec, header, ...options }: Question<Q>): Promise<TypedReply<Q>> {
    return this.parts.remoting.request(address, spec, header as never, options) as Promise<TypedReply<Q>>
  }

  /** An answer of success. Throws Refused for another one, and NetError. */
  async want<Q extends AnySpec>(address: string, question: Question<Q>): Promise<TypedReply<Q>> {
    const reply = await this.ask(address, question)
    if (reply.code !== ResponseCode.success) throw refusedBy(reply.code, reply.remark)
    return reply
  }

  /** Without an answer. Throws NetError. */
  tell<Q extends AnySpec>(address: string, { spec, header, ...options }: Question<Q>): Promise<void> {
    return this.parts.remoting.tell(address, spec, header as never, options)
  }

  /** Asks the name servers, one after another until one answers. */
  private async loadRoute(topic: string): Promise<TopicRouteData> {
    let last: unknown = new NetError('EUNKNOWN', 'no name server is configured')
    for (const address of this.parts.nameServers) {
      try {
        const reply = await this.ask(address, { spec: getRouteInfoByTopic, header: { topic } })
        if (reply.code === ResponseCode.success && reply.body !== undefined)
          return getRouteInfoByTopic.replyBody!.decode(reply.body)
        last = new Refused(Code.topicNotFound, reply.remark ?? `no route to topic ${topic}`)
        if (reply.code === ResponseCode.topicNotExist) break
      } catch (error) {
        last = error
      }
    }
    throw last
  }
}

export type Body<Q> = BodyOf<Q>
export type ReplyBody<Q> = ReplyBodyOf<Q>
