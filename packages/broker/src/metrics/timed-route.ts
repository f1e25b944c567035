import type { RequestSpec } from '@skua-mq/protocol'
import { noReply, type Route } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'

export interface Took {
  readonly ms: number
  /** It was answered with success. */
  readonly isDone: boolean
}

/** The routes with one of them watched: `took` hears of each of its requests, with the header as it was decoded. */
export function timed(
  routes: readonly Route[],
  { code }: Pick<RequestSpec, 'code'>,
  parts: {
    readonly clock: Pick<Clock, 'monotonic'>
    readonly took: (header: Readonly<Record<string, unknown>>, took: Took) => void
  },
): Route[] {
  const { clock, took } = parts
  return routes.map(route => {
    if (route.request.code !== code) return route
    const handle: Route['handle'] = async (header, call) => {
      const beganMs = clock.monotonic()
      let isDone = false
      try {
        const reply = await route.handle(header, call)
        isDone = reply !== noReply && reply.code === 0
        return reply
      } finally {
        took(header, { ms: clock.monotonic() - beganMs, isDone })
      }
    }
    return { ...route, handle }
  })
}
