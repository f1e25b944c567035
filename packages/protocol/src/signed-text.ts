/** What credentials are called among the fields of a request (admin.md 7.1). C++ sends them empty where it has none. */
export const AclField = { accessKey: 'AccessKey', signature: 'Signature', securityToken: 'SecurityToken' } as const

/** What a signature is over, before the body: the values of all fields but the signature, in the order of their names. */
export function signedText(extFields: Readonly<Record<string, string>>, leftOut?: string): string {
  let text = ''
  for (const key of Object.keys(extFields).sort()) {
    if (key !== AclField.signature && key !== leftOut) text += extFields[key]
  }
  return text
}
