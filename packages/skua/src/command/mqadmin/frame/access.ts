import type { Credentials } from '@skua-mq/client'
import { type DiskError, Failure, NodeDisk } from '@skua-mq/runtime'
import { type AccessFlags, credentialsOf } from '../../access-flags.ts'

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
  return credentialsOf(await toolsFile(`${rocketmqHome}/conf/tools.yml`))
}

/** Keys of the file, as texts: `yes` and `1234567` are no booleans and numbers here. */
async function toolsFile(path: string): Promise<AccessFlags> {
  let bytes: Buffer
  try {
    bytes = Buffer.from(new NodeDisk().readFile(path))
  } catch (error) {
    if ((error as DiskError).code === 'ENOENT') return {}
    throw error
  }
  const { parse } = await import('yaml')
  try {
    const read = parse(bytes.toString('utf8'), { schema: 'failsafe' }) as Record<string, unknown> | null
    const text = (key: string): string | undefined => {
      const value = read?.[key]
      return typeof value === 'string' && value !== '' ? value : undefined
    }
    return definedOnly({ accessKey: text('accessKey'), secretKey: text('secretKey') })
  } catch (error) {
    throw new Failure('ECONFIG', `${path}: ${(error as Error).message.split('\n', 1)[0]}`)
  }
}

function definedOnly(keys: { accessKey: string | undefined; secretKey: string | undefined }): AccessFlags {
  const { accessKey, secretKey } = keys
  return { ...(accessKey === undefined ? {} : { accessKey }), ...(secretKey === undefined ? {} : { secretKey }) }
}
