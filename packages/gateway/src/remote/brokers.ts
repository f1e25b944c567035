import type { HeaderOf, RequestSpec } from '@skua-mq/protocol'
import { ResponseCode, type TopicRouteData } from '@skua-mq/protocol'
import type { RemotingClient, TypedReply } from '@skua-mq/remoting'
import { Refused, refusedBy } from '../refused.ts'
import { Code } from '../v2/code.ts'
import type { Routes } from './routes.ts'
import type { Silent } from './silent.ts'

export interface BrokersParts {
  /** Signs, where brokers ask for it. */
  readonly remoting: RemotingClient
  readonly routes: Routes
  readonly silent: Silent
}

// biome-ignore lint/suspicious/noExplicitAny: whatever the request is; its members are inferred where it is asked
type AnySpec = RequestSpec<any, any, any, any>

export interface Question<Q> {
  readonly spec: Q
  readonly header: HeaderOf<Q>
  readonly body?: Uint8Array
  /** Default 3000. */
  readonly timeoutMs?: number
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

  /**
   * Asks the masters of a topic, one after another, until one answers; those that did not answer lately stand last.
   * Resolves to `none` where the topic has no master. Throws the last error.
   */
  async anyOf<T>(topic: string, question: (address: string) => Promise<T>, none: T): Promise<T> {
    const { silent } = this.parts
    const addresses = [...(await this.masters(topic)).values()]
    const order = [...addresses.filter(each => !silent.has(each)), ...addresses.filter(each => silent.has(each))]
    let last: unknown
    for (const address of order) {
      try {
        return await question(address)
      } catch (error) {
        last = error
      }
    }
    if (last === undefined) return none
    throw last
  }

  /** A master to receive from, and its name: the wished one, and another one where that is not named, or has gone. */
  async receiver(topic: string, wished: string): Promise<{ brokerName: string; address: string }> {
    const masters = await this.masters(topic)
    const [first] = [...masters.keys()].filter(name => !this.parts.silent.has(masters.get(name) ?? ''))
    const brokerName = masters.has(wished) ? wished : (first ?? [...masters.keys()][0])
    const address = masters.get(brokerName ?? '')
    if (brokerName === undefined || address === undefined)
      throw new Refused(Code.forbidden, `topic ${topic} has no master at the moment`)
    return { brokerName, address }
  }

  /** The address of a broker's master. Throws Refused where the topic is not there. */
  async master(topic: string, brokerName: string): Promise<string> {
    const address = (await this.masters(topic)).get(brokerName)
    if (address === undefined) throw new Refused(Code.badRequest, `topic ${topic} is not on a broker "${brokerName}"`)
    return address
  }

  /** Whether it gave no answer a moment ago. */
  isSilent(address: string): boolean {
    return this.parts.silent.has(address)
  }

  /** Any answer, whatever its code. Throws NetError. */
  async ask<Q extends AnySpec>(address: string, { spec, header, ...options }: Question<Q>): Promise<TypedReply<Q>> {
    try {
      return (await this.parts.remoting.request(address, spec, header as never, options)) as TypedReply<Q>
    } catch (error) {
      this.parts.silent.add(address)
      throw error
    }
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
