import { AdminError } from '../error.ts'
import { deleteKv, getKv, orderTopicNamespace, putKv } from '../kv.ts'
import type { AdminSession } from '../session.ts'

const keyOf = (topic: string) => ({ namespace: orderTopicNamespace, key: topic })

/** How many queues each broker has of an order topic, `brokerA:4;brokerB:4`; undefined for none. */
export const getOrderConf = (session: AdminSession, topic: string): Promise<string | undefined> =>
  getKv(session, keyOf(topic))

/** At every name server. Errors: ARGUMENT for a text of another form. */
export async function setOrderConf(session: AdminSession, topic: string, conf: string): Promise<void> {
  if (!/^[^:;]+:\d+(;[^:;]+:\d+)*$/.test(conf))
    throw new AdminError('ARGUMENT', `"${conf}" is no order configuration: brokerA:4;brokerB:4 is wanted`)
  await putKv(session, keyOf(topic), conf)
}

/** Adds one broker's part, or replaces it. */
export async function mergeOrderConf(session: AdminSession, topic: string, part: string): Promise<void> {
  const parts = new Map<string, string>()
  for (const one of [...((await getOrderConf(session, topic)) ?? '').split(';'), part])
    if (one !== '') parts.set(one.split(':', 1)[0]!, one)
  await setOrderConf(session, topic, [...parts.values()].join(';'))
}

/** At every name server. */
export const deleteOrderConf = (session: AdminSession, topic: string): Promise<void> => deleteKv(session, keyOf(topic))
