import { addWritePermOfBroker, getNamesrvConfig, updateNamesrvConfig, wipeWritePermOfBroker } from '@skua-mq/protocol'
import { each } from './each.ts'
import { readSettings, type Settings, writeSettings } from './properties.ts'
import type { AdminSession } from './session.ts'

/** Settings of each name server. */
export function nameServerConfigs(
  session: AdminSession,
): Promise<{ readonly address: string; readonly settings: Settings }[]> {
  return each(session.nameServers(), async address => ({
    address,
    settings: readSettings(await session.read(address, { spec: getNamesrvConfig })),
  }))
}

/** At every name server. Returns their addresses. */
export async function setNameServerConfig(session: AdminSession, settings: Settings): Promise<readonly string[]> {
  const addresses = session.nameServers()
  await session.writeEach(addresses, { spec: updateNamesrvConfig, body: writeSettings(settings) })
  return addresses
}

/** How many topics of the broker each name server changed. */
export interface WritePermChange {
  readonly address: string
  readonly topics: number
}

/** No producer is told of the broker's queues any more, until it registers a change. At every name server. */
export async function wipeWritePerm(session: AdminSession, brokerName: string): Promise<WritePermChange[]> {
  const done = await session.writeEach(session.nameServers(), { spec: wipeWritePermOfBroker, header: { brokerName } })
  return done.map(({ address, reply }) => ({ address, topics: reply?.header.wipeTopicCount ?? 0 }))
}

/** Undoes `wipeWritePerm`. */
export async function addWritePerm(session: AdminSession, brokerName: string): Promise<WritePermChange[]> {
  const done = await session.writeEach(session.nameServers(), { spec: addWritePermOfBroker, header: { brokerName } })
  return done.map(({ address, reply }) => ({ address, topics: reply?.header.addTopicCount ?? 0 }))
}
