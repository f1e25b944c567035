import { deleteKvConfig, getKvConfig, getKvListByNamespace, putKvConfig, ResponseCode } from '@skua-mq/protocol'
import type { AdminSession } from './session.ts'

/** KV namespace of how many queues of each broker an order topic has. */
export const orderTopicNamespace = 'ORDER_TOPIC_CONFIG'

/** Where an entry of the name servers' KV configuration is. */
export interface KvKey {
  readonly namespace: string
  readonly key: string
}

/** Undefined when there is none. */
export async function getKv(session: AdminSession, { namespace, key }: KvKey): Promise<string | undefined> {
  const call = { spec: getKvConfig, header: { namespace, key }, allow: [ResponseCode.queryNotFound] }
  const reply = await session.askNameServer(call)
  return reply.code === 0 ? reply.header.value : undefined
}

/** All entries of a namespace; none for one that is unknown. */
export async function listKv(session: AdminSession, namespace: string): Promise<Record<string, string>> {
  const call = { spec: getKvListByNamespace, header: { namespace }, allow: [ResponseCode.queryNotFound] }
  return Object.fromEntries((await session.readNameServer(call)).table)
}

/** At every name server. */
export async function putKv(session: AdminSession, { namespace, key }: KvKey, value: string): Promise<void> {
  await session.writeEach(session.nameServers(), { spec: putKvConfig, header: { namespace, key, value } })
}

/** At every name server; an entry that is not there is no error. */
export async function deleteKv(session: AdminSession, { namespace, key }: KvKey): Promise<void> {
  await session.writeEach(session.nameServers(), { spec: deleteKvConfig, header: { namespace, key } })
}
