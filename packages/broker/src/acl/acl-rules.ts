import { AclField, type Command, HeaderError, type HeaderScan, textNamed, traceTopic } from '@skua-mq/protocol'
import type { Account } from './account.ts'
import type { AclFileContent } from './acl-file.ts'
import { adminCodes, type Need, needsOf } from './needs.ts'
import { AclPerm, permits } from './permission.ts'
import { Permitted } from './permitted.ts'
import { isSigned, isSignedScan } from './signature.ts'

/** What all files together say. Nothing of it changes: other files are other rules. */
export class AclRules {
  private readonly files: readonly AclFileContent[]
  private readonly accounts = new Map<string, Account>()
  private readonly permitted = new Permitted()

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

  /** Whether a hot request is let in, where it stands in the read buffer. False says nothing: then it is decoded. */
  lets(scan: HeaderScan, host: string): boolean {
    const topicName = topicNames.get(scan.code)
    if (topicName === undefined) return false
    try {
      const account = this.accounts.get(textNamed(scan, AclField.accessKey) ?? '')
      if (account === undefined) return false
      if (account.isTrusted(host)) return true
      return isSignedScan(scan, account.mac) && this.permits(scan, account, topicName)
    } catch (error) {
      if (error instanceof HeaderError) return false
      throw error
    }
  }

  private permits(scan: HeaderScan, account: Account, topicName: string): boolean {
    const { code } = scan
    const topic = textNamed(scan, topicName) ?? ''
    const group = textNamed(scan, 'consumerGroup') ?? ''
    const asked = { code, topic, group }
    if (this.permitted.has(account, asked)) return true
    const extFields = { [topicName]: topic, consumerGroup: group }
    if (refusalOfPermission({ code, extFields, body: undefined }, account) !== undefined) return false
    this.permitted.add(account, asked)
    return true
  }
}

/** The hot ones whose needs follow from a topic and a group (needs.ts), and what their topic is called. */
const topicNames: ReadonlyMap<number, string> = new Map([
  [10, 'topic'],
  [310, 'b'],
  [320, 'b'],
  [11, 'topic'],
  [361, 'topic'],
])

type Asked = Pick<Command, 'code' | 'extFields' | 'body'>

function refusalOfPermission(command: Asked, account: Account): string | undefined {
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
