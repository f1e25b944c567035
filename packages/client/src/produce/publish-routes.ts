import { notWritable } from '../route/no-route.ts'
import type { RouteTable } from '../route/route-table.ts'
import { fromTemplate, type TopicRoute, topicRoute } from '../route/topic-route.ts'

export interface TopicTemplate {
  readonly createTopicKey: string
  readonly defaultTopicQueueNums: number
}

/** Where to send: the topic's route, or for an unknown topic that of the template, which the first send turns into a topic. */
export class PublishRoutes {
  private readonly routes: RouteTable
  private readonly template: TopicTemplate

  constructor(routes: RouteTable, template: TopicTemplate) {
    this.routes = routes
    this.template = template
  }

  /** At once when it is known and writable. */
  known(topic: string): TopicRoute | undefined {
    const route = this.routes.known(topic)
    return route !== undefined && route.publish.length > 0 ? route : undefined
  }

  /** Errors: ClientError NO_ROUTE that says why, NAME_SERVER. */
  async find(topic: string, signal?: AbortSignal): Promise<TopicRoute> {
    const known = this.known(topic)
    if (known !== undefined) return known
    const route = (await this.routes.refresh(topic, signal)) ?? (await this.fromTemplate(topic, signal))
    if (route === undefined) throw await this.routes.explain(topic, { templateMissing: true })
    if (route.publish.length === 0) throw notWritable(topic)
    return route
  }

  private async fromTemplate(topic: string, signal?: AbortSignal): Promise<TopicRoute | undefined> {
    const data = await this.routes.fetch(this.template.createTopicKey, signal)
    if (data === undefined) return undefined
    const route = topicRoute(topic, fromTemplate(data, this.template.defaultTopicQueueNums))
    this.routes.keep(route)
    return route
  }
}
