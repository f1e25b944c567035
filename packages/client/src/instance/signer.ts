import { createHmac } from 'node:crypto'
import type { Credentials } from '../options.ts'
import { compareText } from '../queue.ts'

interface SignedCommand {
  readonly extFields: Record<string, string>
  readonly body?: Uint8Array | undefined
}

/** Signs a request in place (admin.md 7.1); must come last, when all fields are there. */
export function signer({ accessKey, secretKey, securityToken }: Credentials): (command: SignedCommand) => void {
  return ({ extFields, body }) => {
    extFields.AccessKey = accessKey
    if (securityToken !== undefined) extFields.SecurityToken = securityToken
    delete extFields.Signature
    const hmac = createHmac('sha1', secretKey)
    const keys = Object.keys(extFields).sort(compareText)
    hmac.update(keys.map(key => extFields[key]).join(''))
    if (body !== undefined) hmac.update(body)
    extFields.Signature = hmac.digest('base64')
  }
}
