import { execFileSync } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeRuntime, type PostTls, postJson } from '@skua-mq/runtime'
import { freePorts } from '../../src/index.ts'
import { EtcdMember } from './etcd-member.ts'

/** Why certificates cannot be made here; undefined where they can. */
export function withoutOpenssl(): string | undefined {
  try {
    execFileSync('openssl', ['version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'no openssl on the PATH'
  }
}

const days = ['-days', '2', '-nodes', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256']

/** An authority, and certificates of it for 127.0.0.1; files of PEM. */
export class Authority {
  readonly directory = mkdtempSync(join(tmpdir(), 'skua-authority-'))
  readonly ca = join(this.directory, 'ca.pem')
  private readonly caKey = join(this.directory, 'ca.key')

  constructor() {
    openssl('req', '-x509', ...days, '-subj', '/CN=authority of a test', '-keyout', this.caKey, '-out', this.ca)
  }

  issue(name: string, subject = `/CN=${name}`): { readonly cert: string; readonly key: string } {
    const [cert, key] = [join(this.directory, `${name}.pem`), join(this.directory, `${name}.key`)]
    const of = ['-CA', this.ca, '-CAkey', this.caKey, '-subj', subject, '-keyout', key, '-out', cert]
    const use = ['-addext', 'subjectAltName=IP:127.0.0.1', '-addext', 'extendedKeyUsage=serverAuth,clientAuth']
    openssl('req', '-x509', ...days, ...of, ...use, '-addext', 'basicConstraints=critical,CA:FALSE')
    return { cert, key }
  }

  remove(): void {
    rmSync(this.directory, { recursive: true, force: true })
  }
}

const openssl = (...args: readonly string[]) => execFileSync('openssl', [...args], { stdio: 'ignore' })

/** etcd that has users, and where it is given an authority wants certificates of its clients, by https. */
export class SecuredEtcd {
  readonly endpoint: string
  readonly member: EtcdMember

  private constructor(endpoint: string, member: EtcdMember) {
    this.endpoint = endpoint
    this.member = member
  }

  /** `tls`: what tests ask it with. */
  static async start(secret?: { readonly authority: Authority; readonly tls: PostTls }): Promise<SecuredEtcd> {
    const { broker, nameServer } = await freePorts(nodeRuntime().net, '127.0.0.1')
    const scheme = secret === undefined ? 'http' : 'https'
    const [endpoint, peer] = [`${scheme}://127.0.0.1:${broker}`, `http://127.0.0.1:${nameServer}`]
    const plan = { name: 'm', endpoint, peer, all: `m=${peer}` }
    const member = new EtcdMember(secret === undefined ? plan : { ...plan, ...secured(secret) })
    member.start()
    const etcd = new SecuredEtcd(endpoint, member)
    await member.ready()
    return etcd
  }

  /** A user for each name, who may do all below `prefix`, and root; from then on nobody else may anything. */
  async secure(
    users: readonly { readonly name: string; readonly password: string; readonly prefix: string }[],
  ): Promise<void> {
    await this.ask('auth/user/add', { name: 'root', password: 'root' })
    await this.ask('auth/user/grant', { user: 'root', role: 'root' })
    for (const { name, password, prefix } of users) {
      const base64 = (text: string) => Buffer.from(text).toString('base64')
      const end = prefix.slice(0, -1) + String.fromCharCode(prefix.charCodeAt(prefix.length - 1) + 1)
      await this.ask('auth/role/add', { name })
      await this.ask('auth/role/grant', {
        name,
        perm: { permType: 'READWRITE', key: base64(prefix), range_end: base64(end) },
      })
      await this.ask('auth/user/add', { name, password })
      await this.ask('auth/user/grant', { user: name, role: name })
    }
    await this.ask('auth/enable', {})
  }

  /** Another user more: tokens that were given before are old. */
  async addUser(name: string): Promise<void> {
    const { token } = (await this.ask('auth/authenticate', { name: 'root', password: 'root' })) as { token: string }
    await this.ask('auth/user/add', { name, password: 'x' }, token)
  }

  private async ask(method: string, body: unknown, authorization?: string): Promise<unknown> {
    const { tls } = this.member.plan
    const { status, json } = await postJson(`${this.endpoint}/v3/${method}`, body, {
      timeoutMs: 3000,
      tls,
      authorization,
    })
    if (status !== 200) throw new Error(`${method}: ${status} ${JSON.stringify(json)}`)
    return json
  }
}

function secured({ authority, tls }: { readonly authority: Authority; readonly tls: PostTls }) {
  const { cert, key } = authority.issue('etcd')
  const flags = ['--cert-file', cert, '--key-file', key, '--trusted-ca-file', authority.ca, '--client-cert-auth']
  return { flags, tls }
}
