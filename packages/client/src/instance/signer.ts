import { createHmac } from 'node:crypto'
import { AclField, signedText } from '@skua-mq/protocol'
import type { Credentials } from '../options.ts'

interface SignedCommand {
  readonly extFields: Record<string, string>
  readonly body?: Uint8Array | undefined
}

/** Signs a request in place (admin.md 7.1); must come last, when all fields are there. */
export function signer({ accessKey, secretKey, securityToken }: Credentials): (command: SignedCommand) => void {
  return ({ extFields, body }) => {
    extFields[AclField.accessKey] = accessKey
    if (securityToken !== undefined) extFields[AclField.securityToken] = securityToken
    const hmac = createHmac('sha1', secretKey).update(signedText(extFields))
    if (body !== undefined) hmac.update(body)
    extFields[AclField.signature] = hmac.digest('base64')
  }
}
