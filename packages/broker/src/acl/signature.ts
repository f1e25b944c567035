import { AclField, type Command, signedText } from '@skua-mq/protocol'
import type { Mac } from './mac.ts'

/** Old clients do not sign it, newer ones do (admin.md 7.2). */
const unsignedByOld = '_UNIQUE_KEY_QUERY'

/** Takes as long wherever they differ. */
function isSame(expected: string, given: string): boolean {
  let difference = expected.length ^ given.length
  for (let i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ given.charCodeAt(i)
  return difference === 0
}

/** Whether who sent this knows the secret key. */
export function isSigned(command: Command, mac: Mac): boolean {
  const given = command.extFields[AclField.signature] ?? ''
  if (isSame(mac.of(signedText(command.extFields), command.body), given)) return true
  return (
    unsignedByOld in command.extFields &&
    isSame(mac.of(signedText(command.extFields, unsignedByOld), command.body), given)
  )
}
