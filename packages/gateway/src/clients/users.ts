import { createHmac, timingSafeEqual } from 'node:crypto'
import { AclField, signedText } from '@skua-mq/protocol'
import { type OutgoingCommand, RemotingClient, type RemotingClientOptions } from '@skua-mq/remoting'
import type { CallContext } from '../grpc/method.ts'
import { Refused } from '../refused.ts'
import { Brokers } from '../remote/brokers.ts'
import type { Routes } from '../remote/routes.ts'
import { Silent } from '../remote/silent.ts'
import { Code } from '../v2/code.ts'

/** The secret key of an account; undefined where there is no such account. */
export type SecretOf = (accessKey: string) => string | undefined

/** Signs requests to brokers in the name of an account. */
export type Sign = (command: OutgoingCommand & { extFields: Record<string, string> }) => void

export interface UsersParts {
  readonly remoting: Omit<RemotingClientOptions, 'sign'>
  readonly routes: Routes
  /** Undefined: nobody is asked who he is. */
  readonly secretOf: SecretOf | undefined
}

/** An account whose signature was right, and its way to the brokers, which ask whether it may. */
export interface User {
  /** '' where nobody is asked who he is. */
  readonly account: string
  readonly brokers: Brokers
  readonly sign: Sign | undefined
}

interface Known extends User {
  readonly client: RemotingClient
}

/** Accounts with a way of their own at the same time; the one that was not heard of for longest makes room. */
const maxUsers = 1000

/** Who asks (grpc.md 2): each account speaks to brokers under its own name, so that what it may is decided in one place. */
export class Users {
  private readonly parts: UsersParts
  private readonly silent: Silent
  private readonly anonymous: Known
  private readonly known = new Map<string, Known>()

  constructor(parts: UsersParts) {
    this.parts = parts
    this.silent = new Silent(parts.remoting.clock)
    this.anonymous = this.make('', undefined)
  }

  /** Throws Refused with UNAUTHORIZED. */
  of(context: CallContext): User {
    const { secretOf } = this.parts
    if (secretOf === undefined) return this.anonymous
    const accessKey = verified(context, secretOf)
    const known = this.known.get(accessKey)
    const user = known ?? this.make(accessKey, signer(accessKey, secretOf))
    // The one that was heard of last stands last.
    if (known !== undefined) this.known.delete(accessKey)
    this.known.set(accessKey, user)
    if (this.known.size > maxUsers) for (const oldest of this.known.keys()) return this.makeRoom(oldest, user)
    return user
  }

  async close(): Promise<void> {
    await Promise.all([this.anonymous, ...this.known.values()].map(({ client }) => client.close()))
  }

  private makeRoom(oldest: string, user: User): User {
    this.drop(oldest)
    return user
  }

  /** What it has asked already is answered: a connection ends when all is sent. */
  private drop(accessKey: string): void {
    const known = this.known.get(accessKey)
    this.known.delete(accessKey)
    void known?.client.close()
  }

  private make(account: string, sign: Sign | undefined): Known {
    const client = new RemotingClient({ ...this.parts.remoting, ...(sign === undefined ? {} : { sign }) })
    return {
      account,
      sign,
      client,
      brokers: new Brokers({ remoting: client, routes: this.parts.routes, silent: this.silent }),
    }
  }
}

/** The account that a call is signed by. Throws Refused. */
function verified(context: CallContext, secretOf: SecretOf): string {
  const given = context.header('authorization') ?? ''
  const parts = new Map(
    given
      .slice(given.indexOf(' ') + 1)
      .split(',')
      .map(part => part.trim().split(/=(.*)/s).slice(0, 2) as [string, string]),
  )
  const accessKey = (parts.get('Credential') ?? '').split('/')[0] ?? ''
  const dateTime = context.header('x-mq-date-time') ?? ''
  const secretKey = accessKey === '' ? undefined : secretOf(accessKey)
  // An account that is not there takes as long as a wrong signature.
  const expected = createHmac('sha1', secretKey ?? 'none')
    .update(dateTime)
    .digest()
  const signature = Buffer.from(parts.get('Signature') ?? '', 'hex')
  const isRight = signature.length === expected.length && timingSafeEqual(signature, expected)
  if (secretKey === undefined || !isRight || dateTime === '')
    throw new Refused(Code.unauthorized, 'the call is not signed by an account of this server (aclEnable)')
  return accessKey
}

/** As clients of remoting do it (admin.md 7.1), with the secret that the account has by now. */
const signer =
  (accessKey: string, secretOf: SecretOf): Sign =>
  ({ extFields, body }) => {
    extFields[AclField.accessKey] = accessKey
    const hmac = createHmac('sha1', secretOf(accessKey) ?? '').update(signedText(extFields))
    if (body !== undefined) hmac.update(body)
    extFields[AclField.signature] = hmac.digest('base64')
  }
