import type { DataVersion } from '@skua-mq/protocol'
import { Failure } from '@skua-mq/runtime'
import { type Document, isMap, isSeq, LineCounter, type Node, parseDocument, type YAMLMap, type YAMLSeq } from 'yaml'
import { type Account, type AccountChange, type AccountText, accountOf } from './account.ts'
import { type AddressPattern, addressPattern } from './address-pattern.ts'

/** Keys of plain_acl.yml (admin.md 7.3). */
const key = { white: 'globalWhiteRemoteAddresses', accounts: 'accounts', version: 'dataVersion' } as const

/** What one file says. */
export interface AclFileContent {
  readonly trusted: readonly AddressPattern[]
  readonly accounts: readonly Account[]
  readonly version: DataVersion
}

/**
 * A plain_acl.yml. Everything in it is read as text, so that a key of digits stays what it is; comments and order are kept
 * where it is changed. Throws Failure ECONFIG with file, line and what is expected.
 */
export class AclFile {
  readonly path: string
  private readonly document: Document
  private readonly lines = new LineCounter()

  constructor(path: string, text: string) {
    this.path = path
    this.document = parseDocument(text, { schema: 'failsafe', lineCounter: this.lines })
    const [problem] = this.document.errors
    if (problem !== undefined) {
      throw new Failure('ECONFIG', `${path}:${problem.linePos?.[0]?.line ?? 1}: no YAML: ${firstLine(problem.message)}`)
    }
    const { contents } = this.document
    if (contents !== null && !isMap(contents) && String(contents) !== '') throw this.wrong(contents, 'no map of keys')
  }

  content(): AclFileContent {
    return {
      trusted: this.listOf(this.document.get(key.white, true), key.white).map(node =>
        this.tried(node, () => addressPattern(textOf(node))),
      ),
      accounts: this.listOf(this.document.get(key.accounts, true), key.accounts).map(node =>
        this.tried(node, () => accountOf(this.account(node))),
      ),
      version: this.version(),
    }
  }

  /** Adds an account, or changes what is given of one. */
  put(account: AccountChange): void {
    const node = this.find(account.accessKey) ?? this.add()
    const { document } = this
    for (const [name, value] of Object.entries(account)) {
      if (value !== undefined) node.set(name, document.createNode(typeof value === 'boolean' ? String(value) : value))
    }
  }

  /** False when there is none. */
  delete(accessKey: string): boolean {
    const accounts = this.document.get(key.accounts, true)
    const node = this.find(accessKey)
    if (node === undefined || !isSeq(accounts)) return false
    accounts.items.splice(accounts.items.indexOf(node), 1)
    return true
  }

  trust(addresses: readonly string[]): void {
    this.document.set(key.white, this.document.createNode([...addresses]))
  }

  /** The file after changes, as the next version. */
  print(nowMs: number): string {
    const counter = String(this.version().counter + 1)
    this.document.set(key.version, this.document.createNode([{ counter, timestamp: String(nowMs) }]))
    return this.document.toString({ lineWidth: 0 })
  }

  private version(): DataVersion {
    const [first] = this.listOf(this.document.get(key.version, true), key.version)
    const number = (name: string) => (isMap(first) ? Number(first.get(name) ?? 0) : 0)
    return { counter: number('counter') || 0, timestamp: number('timestamp') || 0 }
  }

  private account(node: Node): AccountText {
    if (!isMap(node)) throw new RangeError('an account is a map of keys')
    const texts = (name: string) => {
      const list = node.get(name, true)
      return list === undefined ? undefined : this.listOf(list, name).map(textOf)
    }
    const text = (name: string) => (node.has(name) ? String(node.get(name) ?? '') : undefined)
    return {
      accessKey: text('accessKey') ?? '',
      secretKey: text('secretKey') ?? '',
      whiteRemoteAddress: text('whiteRemoteAddress'),
      admin: yes(text('admin')),
      defaultTopicPerm: text('defaultTopicPerm'),
      defaultGroupPerm: text('defaultGroupPerm'),
      topicPerms: texts('topicPerms'),
      groupPerms: texts('groupPerms'),
    }
  }

  private find(accessKey: string): YAMLMap | undefined {
    const accounts = this.listOf(this.document.get(key.accounts, true), key.accounts)
    return accounts.find((node): node is YAMLMap => isMap(node) && String(node.get('accessKey') ?? '') === accessKey)
  }

  private add(): YAMLMap {
    const { document } = this
    if (!isSeq(document.get(key.accounts, true))) document.set(key.accounts, document.createNode([]))
    const accounts = document.get(key.accounts, true) as unknown as YAMLSeq
    accounts.flow = false
    const node = document.createNode({}) as unknown as YAMLMap
    node.flow = false
    accounts.add(node)
    return node
  }

  /** Nothing, and an empty value, is an empty list. */
  private listOf(node: unknown, name: string): Node[] {
    if (isSeq(node)) return node.items as Node[]
    if (node === undefined || node === null || textOf(node as Node) === '') return []
    throw this.wrong(node as Node, `${name} is no list`)
  }

  private tried<T>(node: Node, read: () => T): T {
    try {
      return read()
    } catch (error) {
      if (error instanceof RangeError) throw this.wrong(node, error.message)
      throw error
    }
  }

  private wrong(node: Node, problem: string): Failure {
    const { line } = this.lines.linePos(node.range?.[0] ?? 0)
    return new Failure('ECONFIG', `${this.path}:${line}: ${problem}`)
  }
}

function yes(text: string | undefined): boolean | undefined {
  if (text === undefined || text === '') return undefined
  if (/^(true|false)$/i.test(text)) return text.toLowerCase() === 'true'
  throw new RangeError(`admin: ${text} is neither true nor false`)
}

const textOf = (node: unknown): string => String((node as { readonly value?: unknown } | null)?.value ?? '')
const firstLine = (text: string): string => text.split('\n')[0] as string
