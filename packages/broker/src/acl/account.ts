import { type AddressPattern, addressPattern } from './address-pattern.ts'
import { Mac } from './mac.ts'
import { AclPerm, permissionOf, permissionWords } from './permission.ts'

/** An account as plain_acl.yml has it (admin.md 7.3). */
export interface AccountText {
  readonly accessKey: string
  readonly secretKey: string
  readonly whiteRemoteAddress?: string | undefined
  readonly admin?: boolean | undefined
  readonly defaultTopicPerm?: string | undefined
  readonly defaultGroupPerm?: string | undefined
  /** `topicX=PUB|SUB` each. */
  readonly topicPerms?: readonly string[] | undefined
  readonly groupPerms?: readonly string[] | undefined
}

/** What a change says of it: what is left out stays as it is. */
export interface AccountChange extends Omit<AccountText, 'secretKey'> {
  readonly secretKey?: string | undefined
}

/** The same, ready to be asked. */
export interface Account {
  readonly accessKey: string
  readonly secretKey: string
  readonly mac: Mac
  readonly isAdmin: boolean
  readonly isTrusted: AddressPattern
  /** Has no list at all: an admin of this kind may do everything. */
  readonly hasNoLists: boolean
  readonly topics: Permissions
  readonly groups: Permissions
}

export interface Permissions {
  readonly byName: ReadonlyMap<string, number>
  readonly others: number
}

/** Keys are longer than that. */
const shortKey = 6

/** Throws RangeError that says what is wrong. */
export function accountOf(text: AccountText): Account {
  const { accessKey, secretKey, topicPerms = [], groupPerms = [] } = text
  for (const [name, value] of Object.entries({ accessKey, secretKey })) {
    if (value.length <= shortKey) throw new RangeError(`${name} has ${value.length} characters, it needs 7 at least`)
  }
  return {
    accessKey,
    secretKey,
    mac: new Mac(secretKey),
    isAdmin: text.admin ?? false,
    isTrusted: addressPattern(text.whiteRemoteAddress ?? ''),
    hasNoLists: topicPerms.length === 0 && groupPerms.length === 0,
    topics: { byName: listed('topicPerms', topicPerms), others: permission('defaultTopicPerm', text.defaultTopicPerm) },
    groups: { byName: listed('groupPerms', groupPerms), others: permission('defaultGroupPerm', text.defaultGroupPerm) },
  }
}

/** Nothing said is nothing allowed. */
function permission(key: string, text: string | undefined): number {
  if (text === undefined || text.trim() === '') return AclPerm.deny
  const found = permissionOf(text)
  if (found === undefined) throw new RangeError(`${key}: ${text} is none of ${permissionWords.join(', ')}`)
  return found
}

function listed(key: string, entries: readonly string[]): ReadonlyMap<string, number> {
  const table = new Map<string, number>()
  for (const entry of entries) {
    const at = entry.lastIndexOf('=')
    const name = entry.slice(0, at).trim()
    if (at < 0 || name === '') throw new RangeError(`${key}: ${entry} is not of the form name=PUB|SUB`)
    table.set(name, permission(`${key}: ${name}`, entry.slice(at + 1)))
  }
  return table
}
