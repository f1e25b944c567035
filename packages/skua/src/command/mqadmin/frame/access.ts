import type { Credentials } from '@skua-mq/client'
import { type AccessFlags, credentialsOf } from '../../access-flags.ts'
import type { ToolsKeys } from './tools-file.ts'

/** What of the environment says who asks. */
export interface AccessSurroundings {
  readonly accessKey: string | undefined
  readonly secretKey: string | undefined
  /** ROCKETMQ_HOME. */
  readonly rocketmqHome: string | undefined
}

/** Flags go first, then SKUA_ACCESS_KEY and SKUA_SECRET_KEY, then Apache's conf/tools.yml; nothing is signed without any. */
export async function accessOf(
  flags: AccessFlags,
  { accessKey, secretKey, rocketmqHome }: AccessSurroundings,
): Promise<{ readonly credentials?: Credentials }> {
  const given = credentialsOf({
    ...definedOnly({ accessKey: flags.accessKey ?? accessKey, secretKey: flags.secretKey ?? secretKey }),
  })
  if (given.credentials !== undefined || rocketmqHome === undefined) return given
  const { toolsFile } = await import('./tools-file.ts')
  return credentialsOf(definedOnly(toolsFile(`${rocketmqHome}/conf/tools.yml`)))
}

function definedOnly(keys: ToolsKeys): AccessFlags {
  const { accessKey, secretKey } = keys
  return { ...(accessKey === undefined ? {} : { accessKey }), ...(secretKey === undefined ? {} : { secretKey }) }
}
