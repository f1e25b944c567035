import type { Command } from '@skua-mq/protocol'
import type { Mac } from './mac.ts'

/** What credentials are called in a request (admin.md 7.1). C++ sends them empty where it has none. */
export const AclField = { accessKey: 'AccessKey', signature: 'Signature', securityToken: 'SecurityToken' } as const

/** Old clients do not sign it, newer ones do (admin.md 7.2). */
const unsignedByOld = '_UNIQUE_KEY_QUERY'

/** The values in the order of their keys. */
function signedText({ extFields }: Command, leftOut?: string): string {
  let text = ''
  for (const key of Object.keys(extFields).sort()) {
    if (key !== AclField.signature && key !== leftOut) text += extFields[key]
  }
  return text
}

/** Takes as long wherever they differ. */
function isSame(expected: string, given: string): boolean {
  let difference = expected.length ^ given.length
  for (let i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ given.charCodeAt(i)
  return difference === 0
}

/** Whether who sent this knows the secret key. */
export function isSigned(command: Command, mac: Mac): boolean {
  const given = command.extFields[AclField.signature] ?? ''
  if (isSame(mac.of(signedText(command), command.body), given)) return true
  return unsignedByOld in command.extFields && isSame(mac.of(signedText(command, unsignedByOld), command.body), given)
}
