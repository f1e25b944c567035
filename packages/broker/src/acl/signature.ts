import { AclField, type Command, type HeaderScan, signedText } from '@skua-mq/protocol'
import type { Mac } from './mac.ts'

/** Old clients do not sign it, newer ones do (admin.md 7.2). */
const unsignedByOld = '_UNIQUE_KEY_QUERY'

/** Takes as long wherever they differ. */
function isSame(expected: string, given: string): boolean {
  let difference = expected.length ^ given.length
  for (let i = 0; i < expected.length; i++) difference |= expected.charCodeAt(i) ^ given.charCodeAt(i)
  return difference === 0
}

/** The same for a request where it stands in the read buffer. False, too, where only the decoder can say. */
export function isSignedScan(scan: HeaderScan, mac: Mac): boolean {
  const expected = mac.ofScan(scan)
  return expected !== undefined && isSame(expected, signatureOf(scan))
}

/** Not by `textNamed`, which keeps texts that come again: no signature does. */
function signatureOf({ fields, bytes, starts, ends, escaped }: HeaderScan): string {
  const slot = fields?.slotNamed(AclField.signature) ?? -1
  if (slot < 0 || (starts[slot] as number) < 0 || escaped[slot] === 1) return ''
  return bytes.toString('latin1', starts[slot], ends[slot])
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
