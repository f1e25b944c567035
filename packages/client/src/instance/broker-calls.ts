import { type HeaderOf, type MessageQueue, type RequestSpec, ResponseCode } from '@skua-mq/protocol'
import type { RemotingClient, RequestOptions, TypedReply } from '@skua-mq/remoting'
import { brokerRefusal, ClientError, networkError } from '../error.ts'
import type { RouteTable } from '../route/route-table.ts'

type AnySpec = RequestSpec<never, never, never, never> | RequestSpec

/** Requests to the brokers of a route. Errors are ClientErrors; a refusal is one unless the caller allows its code. */
export class BrokerCalls {
  private readonly remoting: RemotingClient
  private readonly routes: RouteTable
  private readonly timeoutMs: number

  constructor(parts: { remoting: RemotingClient; routes: RouteTable; timeoutMs: number }) {
    this.remoting = parts.remoting
    this.routes = parts.routes
    this.timeoutMs = parts.timeoutMs
  }

  /** The address of the queue's master; asks for the route again if it is not known. */
  async masterOf(queue: Pick<MessageQueue, 'topic' | 'brokerName'>, signal?: AbortSignal): Promise<string> {
    const known = this.routes.master(queue.brokerName)
    if (known !== undefined) return known
    await this.routes.refresh(queue.topic, signal)
    const found = this.routes.master(queue.brokerName)
    if (found !== undefined) return found
    const message = `broker ${queue.brokerName} of topic ${queue.topic} has no master in the route: is it down?`
    throw new ClientError('NO_BROKER', message, { retriable: true })
  }

  /** As `ask`, to the master of a queue. */
  async atMaster<Q extends AnySpec>(
    queue: Pick<MessageQueue, 'topic' | 'brokerName'>,
    call: Call<Q>,
  ): Promise<TypedReply<Q>> {
    return this.ask(await this.masterOf(queue, call.signal), call)
  }

  /** As `ask`, to the master of a queue, or to a slave where no master is in the route: for what a slave has, too. */
  async atAny<Q extends AnySpec>(
    queue: Pick<MessageQueue, 'topic' | 'brokerName'>,
    call: Call<Q>,
  ): Promise<TypedReply<Q>> {
    const at = this.routes.master(queue.brokerName) ?? this.routes.anyOf(queue.brokerName, 0)?.address
    return this.ask(at ?? (await this.masterOf(queue, call.signal)), call)
  }

  /** Asks one address; codes other than 0 and `allow` become ClientError BROKER. */
  async ask<Q extends AnySpec>(address: string, call: Call<Q>): Promise<TypedReply<Q>> {
    const what = `${(call.spec as RequestSpec).name} at ${address}`
    const options: RequestOptions = { timeoutMs: this.timeoutMs, ...call }
    let reply: TypedReply<Q>
    try {
      reply = await this.remoting.request(address, call.spec, call.header, options)
    } catch (error) {
      throw networkError(what, error)
    }
    if (reply.code !== ResponseCode.success && !(call.allow ?? []).includes(reply.code))
      throw brokerRefusal(what, reply)
    return reply
  }

  /** Sends without waiting for an answer. */
  async tell<Q extends AnySpec>(address: string, call: Call<Q>): Promise<void> {
    try {
      await this.remoting.tell(address, call.spec, call.header, { timeoutMs: this.timeoutMs, ...call })
    } catch (error) {
      throw networkError(`${(call.spec as RequestSpec).name} to ${address}`, error)
    }
  }
}

export interface Call<Q> {
  readonly spec: Q
  readonly header: HeaderOf<Q>
  readonly body?: Uint8Array | undefined
  readonly timeoutMs?: number
  readonly signal?: AbortSignal | undefined
  /** Codes beside 0 that are answers. */
  readonly allow?: readonly number[]
}
