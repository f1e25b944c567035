import { AclField, type Command, traceTopic } from '@skua-mq/protocol'
import type { Account } from './account.ts'
import type { AclFileContent } from './acl-file.ts'
import { adminCodes, type Need, needsOf } from './needs.ts'
import { AclPerm, permits } from './permission.ts'
import { isSigned } from './signature.ts'

/** What all files together say. Nothing of it changes: other files are other rules. */
export class AclRules {
  private readonly files: readonly AclFileContent[]
  private readonly accounts = new Map<string, Account>()

  /** An access key belongs to the first file that has it. */
  constructor(files: readonly AclFileContent[]) {
    this.files = files
    for (const { accounts } of files) {
      for (const account of accounts) {
        if (!this.accounts.has(account.accessKey)) this.accounts.set(account.accessKey, account)
      }
    }
  }

  /** For a gateway of this process, which signs in the name of those who have proved that they know it. */
  secretOf(accessKey: string): string | undefined {
    return this.accounts.get(accessKey)?.secretKey
  }

  get accountCount(): number {
    return this.accounts.size
  }

  /** Whoever asks from there is not looked at. */
  trusts(host: string): boolean {
    return this.files.some(({ trusted }) => trusted.some(matches => matches(host)))
  }

  /**
   * Why this is not let in, in the order of admin.md 7.2; undefined lets it in. Throws where a body does not read.
   */
  refusalOf(command: Command, host: string): string | undefined {
    const accessKey = command.extFields[AclField.accessKey] ?? ''
    if (accessKey === '') return 'No accessKey is configured'
    const account = this.accounts.get(accessKey)
    if (account === undefined) return `No acl config for ${accessKey}`
    if (account.isTrusted(host)) return undefined
    if (!isSigned(command, account.mac)) return `Check signature failed for accessKey=${accessKey}`
    return refusalOfPermission(command, account)
  }
}

function refusalOfPermission(command: Command, account: Account): string | undefined {
  const needs = needsOf(command)
  if (needs.some(({ kind, name, perm }) => kind === 'topic' && name === traceTopic && perm === AclPerm.pub))
    return undefined
  if (adminCodes.has(command.code) && !account.isAdmin) {
    return `Need admin permission for request code=${command.code}, but accessKey=${account.accessKey} is not`
  }
  if (account.isAdmin && account.hasNoLists) return undefined
  const lacking = needs.find(need => !mayHave(account, need))
  return lacking === undefined ? undefined : `No default permission for ${lacking.kind} ${lacking.name}`
}

function mayHave(account: Account, { kind, name, perm }: Need): boolean {
  const { byName, others } = kind === 'topic' ? account.topics : account.groups
  return permits(byName.get(name) ?? others, perm)
}
