import { endTransaction } from '@skua-mq/protocol'
import { type Route, route } from '@skua-mq/remoting'
import type { EndTransaction } from './end-transaction.ts'

/** 37. */
export const transactionRoutes = (end: EndTransaction): Route[] => [route(endTransaction, header => end.take(header))]
