import { createHmac, timingSafeEqual } from 'node:crypto'
import type { Command } from '@skua-mq/protocol'

/** What credentials are called in a request (admin.md 7.1). C++ sends them empty where it has none. */
export const AclField = { accessKey: 'AccessKey', signature: 'Signature', securityToken: 'SecurityToken' } as const

/** Old clients do not sign it, newer ones do (admin.md 7.2). */
const unsignedByOld = '_UNIQUE_KEY_QUERY'

const compareText = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0)

/** HMAC-SHA1 over the values in the order of their keys, and the body, as Base64. */
function signatureOf({ extFields, body }: Command, secretKey: string, leftOut?: string): string {
  let text = ''
  for (const key of Object.keys(extFields).sort(compareText)) {
    if (key !== AclField.signature && key !== leftOut) text += extFields[key]
  }
  const hmac = createHmac('sha1', secretKey).update(text)
  if (body !== undefined) hmac.update(body)
  return hmac.digest('base64')
}

/** In constant time for signatures of the right length. */
function isSame(expected: string, given: string): boolean {
  const [a, b] = [Buffer.from(expected), Buffer.from(given)]
  return a.length === b.length && timingSafeEqual(a, b)
}

/** Whether who sent this knows the secret key. */
export function isSigned(command: Command, secretKey: string): boolean {
  const given = command.extFields[AclField.signature] ?? ''
  if (isSame(signatureOf(command, secretKey), given)) return true
  return unsignedByOld in command.extFields && isSame(signatureOf(command, secretKey, unsignedByOld), given)
}
