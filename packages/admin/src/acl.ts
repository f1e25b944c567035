import {
  type DataVersion,
  dataVersionBody,
  deleteAclConfig,
  getBrokerClusterAclInfo,
  updateAndCreateAclConfig,
  updateGlobalWhiteAddrsConfig,
} from '@skua-mq/protocol'
import { brokersAt, mastersAt, type Where } from './cluster.ts'
import { each } from './each.ts'
import type { AdminSession } from './session.ts'

/** An account of plain_acl.yml; what is not given stays, or is the default of a new account. Only 4.x. */
export interface AclAccount {
  /** More than 6 characters. */
  readonly accessKey: string
  /** More than 6 characters. */
  readonly secretKey?: string | undefined
  readonly whiteRemoteAddress?: string | undefined
  readonly admin?: boolean | undefined
  /** DENY, PUB, SUB or PUB|SUB. */
  readonly defaultTopicPerm?: string | undefined
  readonly defaultGroupPerm?: string | undefined
  /** Such as `topicA=PUB|SUB`. */
  readonly topicPerms?: readonly string[] | undefined
  readonly groupPerms?: readonly string[] | undefined
}

/** At masters and slaves, as each reads its own file. Returns who took it. */
export async function putAclAccount(session: AdminSession, where: Where, account: AclAccount): Promise<string[]> {
  const addresses = await brokersAt(session, where)
  const { topicPerms, groupPerms, ...rest } = account
  const header = { ...rest, topicPerms: topicPerms?.join(','), groupPerms: groupPerms?.join(',') }
  await session.writeEach(addresses, { spec: updateAndCreateAclConfig, header })
  return addresses
}

/** At masters and slaves. Returns who did. */
export async function deleteAclAccount(session: AdminSession, where: Where, accessKey: string): Promise<string[]> {
  const addresses = await brokersAt(session, where)
  await session.writeEach(addresses, { spec: deleteAclConfig, header: { accessKey } })
  return addresses
}

/** Patterns of addresses that need no account, of one file or of plain_acl.yml. Returns who took them. */
export async function setGlobalWhiteAddresses(
  session: AdminSession,
  where: Where,
  { addresses: patterns, file = '' }: { readonly addresses: readonly string[]; readonly file?: string | undefined },
): Promise<string[]> {
  const addresses = await brokersAt(session, where)
  const header = { globalWhiteAddrs: patterns.join(','), aclFileFullPath: file }
  await session.writeEach(addresses, { spec: updateGlobalWhiteAddrsConfig, header })
  return addresses
}

/** How new the account files of a broker are. */
export interface AclVersion {
  readonly clusterName: string
  readonly brokerName: string
  readonly address: string
  /** '' for a broker that tells one version for all its files. */
  readonly file: string
  readonly version: number
  /** Milliseconds since 1970. */
  readonly changedAtMs: number
}

/** Of each master; a row for each file. */
export async function aclVersions(session: AdminSession, where: Where): Promise<AclVersion[]> {
  const rows = await each(await mastersAt(session, where), async address => {
    const { header } = await session.ask(address, { spec: getBrokerClusterAclInfo })
    const { clusterName, brokerName, brokerAddr, version, allAclFileVersion } = header
    return filesOf(version, allAclFileVersion).map(([file, { counter, timestamp }]) => {
      return { clusterName, brokerName, address: brokerAddr, file, version: counter, changedAtMs: timestamp }
    })
  })
  return rows.flat()
}

function filesOf(version: string, all: string | undefined): [string, DataVersion][] {
  const read = (json: unknown) => dataVersionBody.decode(Buffer.from(JSON.stringify(json)))
  const files = all === undefined || all === '' ? [] : Object.entries<unknown>(JSON.parse(all))
  if (files.length === 0) return [['', read(JSON.parse(version))]]
  return files.map(([file, json]) => [file, read(json)])
}
