import type { HotRequest, RequestHead } from '@skua-mq/protocol'
import type { ReplyToken } from './token.ts'

/**
 * A hot request with its handler: a synchronous function of a view, which is valid until it returns, and of a token, by
 * which it answers now or later.
 */
export interface HotRoute<View extends RequestHead> {
  readonly request: HotRequest<View>
  handle(view: View, token: ReplyToken): void
}

/** A hot route whose view is known to nobody but itself. */
export type AnyHotRoute = HotRoute<RequestHead>

export function hotRoute<View extends RequestHead>(
  request: HotRequest<View>,
  handle: (view: View, token: ReplyToken) => void,
): AnyHotRoute {
  return { request, handle }
}
