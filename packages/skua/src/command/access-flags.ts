import type { Credentials } from '@skua-mq/client'
import { Failure } from '@skua-mq/runtime'

export interface AccessFlags {
  readonly accessKey?: string
  readonly secretKey?: string
}

/** What `--access-key` and `--secret-key` say, or the environment; nothing is signed without them. Throws ECONFIG for half of it. */
export function credentialsOf({ accessKey, secretKey }: AccessFlags): { readonly credentials?: Credentials } {
  if (accessKey === undefined && secretKey === undefined) return {}
  if (accessKey === undefined || secretKey === undefined)
    throw new Failure('ECONFIG', '--access-key and --secret-key (SKUA_ACCESS_KEY, SKUA_SECRET_KEY) belong together')
  return { credentials: { accessKey, secretKey } }
}
