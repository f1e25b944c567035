import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { type PostTls, postJson } from '@skua-mq/runtime'

/** Why tests with it do not run here; undefined where there is one. */
export function withoutEtcd(): string | undefined {
  try {
    execFileSync('etcd', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'no etcd on the PATH (Debian: etcd-server)'
  }
}

export interface EtcdPlan {
  readonly name: string
  /** Where clients ask. */
  readonly endpoint: string
  /** Where the other members ask. */
  readonly peer: string
  /** name=peer of all members, with commas. */
  readonly all: string
  readonly flags?: readonly string[]
  /** What it is asked with here, where the endpoint is https. */
  readonly tls?: PostTls
  /** What runs it, such as `ip netns exec x`. */
  readonly within?: readonly string[]
}

/** A process of etcd, with a directory that outlives it. */
export class EtcdMember {
  readonly plan: EtcdPlan
  private readonly directory = mkdtempSync(join(tmpdir(), 'skua-etcd-'))
  private child: ChildProcess | undefined

  constructor(plan: EtcdPlan) {
    this.plan = plan
  }

  start(): void {
    const { name, endpoint, peer, all, flags = [], within = [] } = this.plan
    const [file, ...args] = [
      ...[...within, 'etcd', '--name', name, '--data-dir', this.directory],
      ...['--listen-client-urls', endpoint, '--advertise-client-urls', endpoint],
      ...['--listen-peer-urls', peer, '--initial-advertise-peer-urls', peer, '--initial-cluster', all],
      ...flags,
    ]
    this.child = spawn(file!, args, { stdio: 'ignore' })
  }

  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child?.kill(name)
  }

  async kill(): Promise<void> {
    const { child } = this
    this.child = undefined
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return
    const ended = new Promise(resolve => child.once('close', resolve))
    child.kill('SIGKILL')
    await ended
  }

  async stop(): Promise<void> {
    await this.kill()
    rmSync(this.directory, { recursive: true, force: true })
  }

  /** It leads the others, and its majority has said so. */
  async leads(): Promise<boolean> {
    const { status, json } = await this.ask('maintenance/status', {})
    const { header, leader } = json as { header?: { member_id?: string }; leader?: string }
    return status === 200 && leader !== undefined && leader === header?.member_id
  }

  /** Until it answers. Throws where it does not within half a minute. */
  ready(): Promise<void> {
    return this.until(async () => {
      const { status } = await this.ask('kv/range', { key: Buffer.from('a').toString('base64') })
      return status === 200
    })
  }

  /** Until it has a leader, whoever may ask what. */
  answering(): Promise<void> {
    return this.until(async () => {
      const { json } = await this.ask('maintenance/status', {})
      return Number((json as { leader?: string })?.leader ?? 0) > 0
    })
  }

  private async until(holds: () => Promise<boolean>): Promise<void> {
    const until = Date.now() + 30_000
    while (!(await holds().catch(() => false))) {
      if (Date.now() > until || this.child?.exitCode !== null)
        throw new Error(`etcd did not begin (${this.child?.exitCode})`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  private ask(method: string, body: unknown) {
    const { endpoint, tls } = this.plan
    return postJson(`${endpoint}/v3/${method}`, body, { timeoutMs: 500, tls })
  }
}
