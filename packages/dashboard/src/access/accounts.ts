import { randomBytes, scrypt, timingSafeEqual } from 'node:crypto'
import type { Disk } from '@skua-mq/runtime'
import type { Role, User } from '../endpoint.ts'
import { Problem } from '../problem.ts'

/** Cost of a password: 16 MiB and some 50 ms. */
const cost = { N: 16_384, r: 8, p: 1 }
const keyBytes = 32
const saltBytes = 16
/** Longest password; scrypt reads all of it. */
export const maxPasswordLength = 256
/** Shortest one that is taken for a new account. */
export const minPasswordLength = 8
/** Passwords that are tried at the same time; each takes 16 MiB. */
const maxTried = 2
/** and those that wait. */
const maxWaiting = 8

interface Account extends User {
  readonly N: number
  readonly r: number
  readonly p: number
  readonly salt: Buffer
  readonly hash: Buffer
}

/** Whoever said the right password, and a mark of that password: a session ends when it is another one. */
export interface Verified {
  readonly user: User
  readonly proof: string
}

const derive = (password: string, salt: Buffer, { N, r, p }: { N: number; r: number; p: number }): Promise<Buffer> =>
  new Promise((resolve, reject) => {
    const options = { N, r, p, maxmem: 256 * N * r }
    scrypt(password, salt, keyBytes, options, (error, key) => (error === null ? resolve(key) : reject(error)))
  })

/** The line of an account for the file. Throws for a name or a password that cannot be. */
export async function accountLine({
  name,
  role,
  password,
}: {
  readonly name: string
  readonly role: Role
  readonly password: string
}): Promise<string> {
  if (!/^[A-Za-z0-9._@-]{1,64}$/.test(name))
    throw new Error(`"${name}" is no name of an account: letters, digits and . _ @ - are, 64 at most`)
  if (password.length < minPasswordLength || password.length > maxPasswordLength)
    throw new Error(`a password has ${minPasswordLength} to ${maxPasswordLength} characters`)
  const salt = randomBytes(saltBytes)
  const hash = await derive(password, salt, cost)
  const parts = ['scrypt', cost.N, cost.r, cost.p, salt.toString('base64url'), hash.toString('base64url')]
  return `${name}:${role}:${parts.join('$')}`
}

/** Accounts of a file's text. Throws with the line of what is no account. */
export function readAccounts(text: string, file: string): Map<string, Account> {
  const accounts = new Map<string, Account>()
  for (const [at, line] of text.split(/\r?\n/).entries()) {
    if (line.trim() === '' || line.startsWith('#')) continue
    const parts = /^([^:]{1,64}):(view|admin):scrypt\$(\d+)\$(\d+)\$(\d+)\$([\w-]+)\$([\w-]+)$/.exec(line.trim())
    const place = `${file}:${at + 1}`
    if (parts === null)
      throw new Error(`${place} is no account: name:view|admin:scrypt$… is wanted, as skua dashboard-account makes it`)
    const [, name = '', role, N, r, p, salt = '', hash = ''] = parts
    if (accounts.has(name)) throw new Error(`${place}: there is an account ${name} before`)
    const account = { N: Number(N), r: Number(r), p: Number(p) }
    if (!isPowerOfTwo(account.N) || account.N > 1 << 20 || account.r > 32 || account.p > 16)
      throw new Error(`${place}: a cost of scrypt that cannot be`)
    accounts.set(name, {
      ...account,
      name,
      role: role as Role,
      salt: Buffer.from(salt, 'base64url'),
      hash: Buffer.from(hash, 'base64url'),
    })
  }
  return accounts
}

const userOf = ({ name, role }: Account): User => ({ name, role })
const proofOf = ({ salt, hash }: Account): string => `${salt.toString('base64url')} ${hash.toString('base64url')}`
const warnOfAccounts = (text: string): void => process.emitWarning(text, { type: 'SkuaWarning', code: 'accounts' })

const isPowerOfTwo = (value: number): boolean => value > 1 && (value & (value - 1)) === 0

/** The accounts of a file, which is read again when it changes. */
export class Accounts {
  private readonly disk: Disk
  private readonly file: string
  private accounts: Map<string, Account>
  private stamp: string
  private tried = 0
  private readonly waiting: (() => void)[] = []
  private readonly warn: (text: string) => void
  /** So that a name that is unknown takes as long as one that is known. */
  private readonly decoy: Account = {
    ...{ name: '', role: 'view', ...cost },
    ...{ salt: randomBytes(saltBytes), hash: randomBytes(keyBytes) },
  }

  /** Throws for a file that is missing, or has no account. */
  constructor(disk: Disk, file: string, warn: (text: string) => void = warnOfAccounts) {
    this.disk = disk
    this.file = file
    this.warn = warn
    this.stamp = this.stampNow()
    this.accounts = this.read()
    if (this.accounts.size === 0) throw new Error(`${file} has no account: skua dashboard-account makes one`)
  }

  /** The user of a name and its password; undefined for a wrong one. Errors: BUSY while too many are tried. */
  async verify(name: string, password: string): Promise<Verified | undefined> {
    await this.turn()
    try {
      this.refresh()
      const account = this.accounts.get(name) ?? this.decoy
      const key = await derive(password, account.salt, account)
      const isRight = key.length === account.hash.length && timingSafeEqual(key, account.hash)
      return isRight && account !== this.decoy ? { user: userOf(account), proof: proofOf(account) } : undefined
    } finally {
      this.tried--
      this.waiting.shift()?.()
    }
  }

  /** As the file says now: an account that was taken away ends its sessions, and so does another password. */
  current(name: string, proof: string): User | undefined {
    this.refresh()
    const account = this.accounts.get(name)
    return account === undefined || proofOf(account) !== proof ? undefined : userOf(account)
  }

  private async turn(): Promise<void> {
    if (this.tried >= maxTried) {
      if (this.waiting.length >= maxWaiting)
        throw new Problem(503, 'BUSY', 'too many passwords are tried at the moment: try again in some seconds')
      await new Promise<void>(resolve => this.waiting.push(resolve))
    }
    this.tried++
  }

  /** A file that cannot be read at this moment leaves those of before (it is written by an editor, say), and that is told. */
  private refresh(): void {
    const stamp = this.stampNow()
    if (stamp === this.stamp) return
    this.stamp = stamp
    try {
      this.accounts = this.read()
    } catch (error) {
      // Nobody gets in by a file that is half written, and nobody is thrown out.
      this.warn(`accounts stay as they were, whoever was taken out as well: ${(error as Error).message}`)
    }
  }

  private stampNow(): string {
    const stat = this.disk.stat(this.file)
    return stat === undefined ? '' : `${stat.size} ${stat.modifiedAtMs}`
  }

  private read(): Map<string, Account> {
    if (this.stamp === '')
      throw new Error(`there is no file of accounts ${this.file}: skua dashboard-account makes one`)
    return readAccounts(this.disk.readFile(this.file).toString('utf8'), this.file)
  }
}
