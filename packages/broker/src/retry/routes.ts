import { consumerSendMsgBack } from '@skua-mq/protocol'
import { type Route, route } from '@skua-mq/remoting'
import type { SendBack } from './send-back.ts'

/** 36. */
export const retryRoutes = (back: SendBack): Route[] => [
  route(consumerSendMsgBack, (header, { command }) => back.take(header, command.version)),
]
