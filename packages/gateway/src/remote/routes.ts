import { getRouteInfoByTopic, ResponseCode, type TopicRouteData } from '@skua-mq/protocol'
import type { RemotingClient } from '@skua-mq/remoting'
import { type Clock, NetError } from '@skua-mq/runtime'
import { Refused } from '../refused.ts'
import { Code } from '../v2/code.ts'
import { Cache } from './cache.ts'

export interface RoutesParts {
  readonly remoting: RemotingClient
  readonly clock: Pick<Clock, 'monotonic'>
  readonly nameServers: readonly string[]
  readonly keepMs: number
}

/** Most topics of which a route is remembered. */
const maxRoutes = 10_000

/** Where topics lie, as the name servers know it. */
export class Routes {
  private readonly parts: RoutesParts
  private readonly cache: Cache<TopicRouteData>

  constructor(parts: RoutesParts) {
    this.parts = parts
    const { clock, keepMs } = parts
    this.cache = new Cache({ clock, keepMs, most: maxRoutes })
  }

  /** Throws Refused with TOPIC_NOT_FOUND. */
  of(topic: string): Promise<TopicRouteData> {
    return this.cache.get(topic, () => this.load(topic))
  }

  /** Asks the name servers, one after another until one answers. */
  private async load(topic: string): Promise<TopicRouteData> {
    let last: unknown = new NetError('EUNKNOWN', 'no name server is configured (namesrvAddr)')
    for (const address of this.parts.nameServers) {
      try {
        const reply = await this.parts.remoting.request(address, getRouteInfoByTopic, { topic })
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
