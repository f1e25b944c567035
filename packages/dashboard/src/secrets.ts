/** What stands where a secret was. */
export const dots = '••••••'

/** Settings that are a secret, or accounts as JSON: Apache's brokers keep their first user and the account among themselves so. */
const secretName = /secret|passw(or)?d|passphrase|credential|accessKey$|privateKey$|initAuthenticationUser/i
/** Members of JSON in a setting of any name. */
const secretMember = /"(secret|password|secretKey|accessKey)"\s*:/i

export const isSecret = (name: string): boolean => secretName.test(name)

/** The value of a setting as it may stand on a screen. */
export const shownValue = (name: string, value: string): string =>
  value !== '' && (isSecret(name) || secretMember.test(value)) ? dots : value

/** Settings as they may stand on a screen. */
export const shownValues = (settings: Readonly<Record<string, string>>): Record<string, string> =>
  Object.fromEntries(Object.entries(settings).map(([name, value]) => [name, shownValue(name, value)]))
