import type { HeaderOf, RequestSpec } from '@skua-mq/protocol'
import { ResponseCode, type TopicRouteData } from '@skua-mq/protocol'
import type { RemotingClient, TypedReply } from '@skua-mq/remoting'
import { Refused, refusedBy } from '../refused.ts'
import { Code } from '../v2/code.ts'
import type { Routes } from './routes.ts'

export interface BrokersParts {
  /** Signs, where brokers ask for it. */
  readonly remoting: RemotingClient
  readonly routes: Routes
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

/** The cluster behind the gateway, for one account: where a topic lies, and what its brokers answer. */
export class Brokers {
  private readonly parts: BrokersParts

  constructor(parts: BrokersParts) {
    this.parts = parts
  }

  /** Throws Refused with TOPIC_NOT_FOUND. */
  route(topic: string): Promise<TopicRouteData> {
    return this.parts.routes.of(topic)
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
}
