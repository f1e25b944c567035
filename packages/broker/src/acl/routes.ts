import {
  deleteAclConfig,
  getBrokerClusterAclInfo,
  ResponseCode,
  updateAndCreateAclConfig,
  updateGlobalWhiteAddrsConfig,
} from '@skua-mq/protocol'
import { ok, type Refusal, type Route, refuse, route } from '@skua-mq/remoting'
import type { BrokerConfig } from '../config/options.ts'
import type { AclFiles } from './acl-files.ts'

const listOf = (text: string | undefined): string[] | undefined =>
  text === undefined || text === '' ? undefined : text.split(',').map(each => each.trim())

/** 50 to 53 (admin.md 7.4). */
export function aclRoutes(files: AclFiles, broker: { brokerAddr: string; config: BrokerConfig }): Route[] {
  return [
    route(updateAndCreateAclConfig, ({ topicPerms, groupPerms, ...account }) =>
      changed(ResponseCode.updateAndCreateAclConfigFailed, () => {
        const lists = { topicPerms: listOf(topicPerms), groupPerms: listOf(groupPerms) }
        files.change(files.pathOf(account.accessKey) ?? files.mainPath, file =>
          file.put({ ...given(account), ...lists }),
        )
      }),
    ),
    route(deleteAclConfig, ({ accessKey }) => {
      const code = ResponseCode.deleteAclConfigFailed
      const path = files.pathOf(accessKey)
      if (path === undefined) return refuse(code, `there is no account ${accessKey}`)
      return changed(code, () => files.change(path, file => file.delete(accessKey)))
    }),
    route(getBrokerClusterAclInfo, () => {
      const { brokerAddr, config } = broker
      const versions = files.versions()
      const version = JSON.stringify(versions.get(files.mainPath) ?? { counter: 0, timestamp: 0 })
      const allAclFileVersion = JSON.stringify(Object.fromEntries(versions))
      const { brokerName, brokerClusterName: clusterName } = config
      return ok({ version, allAclFileVersion, brokerName, brokerAddr, clusterName })
    }),
    route(updateGlobalWhiteAddrsConfig, ({ globalWhiteAddrs, aclFileFullPath }) => {
      const path = aclFileFullPath === '' ? files.mainPath : aclFileFullPath
      const code = ResponseCode.updateGlobalWhiteAddrsConfigFailed
      if (path !== files.mainPath && !files.has(path))
        return refuse(code, `${path} is no file of accounts of this broker`)
      return changed(code, () => files.change(path, file => file.trust(listOf(globalWhiteAddrs) ?? [])))
    }),
  ]
}

type FailureCode = Parameters<typeof refuse>[0]

function changed(code: FailureCode, change: () => void): ReturnType<typeof ok<Record<string, never>>> | Refusal {
  try {
    change()
    return ok({})
  } catch (error) {
    return refuse(code, String((error as Error).message))
  }
}

/** What was not said is left as it is. */
const given = <T extends object>(fields: T): T =>
  Object.fromEntries(Object.entries(fields).filter(([, value]) => value !== undefined && value !== '')) as T
