import { type ChildProcess, execFileSync, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { nodeRuntime, postJson } from '@skua-mq/runtime'
import { freePorts } from '../../src/index.ts'

/** Why tests with it do not run here; undefined where there is one. */
export function withoutEtcd(): string | undefined {
  try {
    execFileSync('etcd', ['--version'], { stdio: 'ignore' })
    return undefined
  } catch {
    return 'no etcd on the PATH (Debian: etcd-server)'
  }
}

/** An etcd of one member, with a directory of its own. */
export class Etcd {
  readonly endpoint: string
  private readonly child: ChildProcess
  private readonly directory: string

  private constructor(endpoint: string, { child, directory }: { child: ChildProcess; directory: string }) {
    this.endpoint = endpoint
    this.child = child
    this.directory = directory
  }

  static async start(): Promise<Etcd> {
    const { broker: client, nameServer: peer } = await freePorts(nodeRuntime().net, '127.0.0.1')
    const directory = mkdtempSync(join(tmpdir(), 'skua-etcd-'))
    const [own, between] = [`http://127.0.0.1:${client}`, `http://127.0.0.1:${peer}`]
    const flags = [
      ...['--data-dir', directory, '--listen-client-urls', own, '--advertise-client-urls', own],
      ...[
        '--listen-peer-urls',
        between,
        '--initial-advertise-peer-urls',
        between,
        '--initial-cluster',
        `default=${between}`,
      ],
    ]
    const child = spawn('etcd', flags, { stdio: 'ignore' })
    const etcd = new Etcd(own, { child, directory })
    const until = Date.now() + 30_000
    while (!(await etcd.answers())) {
      if (Date.now() > until || child.exitCode !== null) throw new Error(`etcd did not begin (${child.exitCode})`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
    return etcd
  }

  /** It stands still, or goes on. */
  signal(name: 'SIGSTOP' | 'SIGCONT'): void {
    this.child.kill(name)
  }

  async stop(): Promise<void> {
    const ended = new Promise(resolve => this.child.once('close', resolve))
    this.child.kill('SIGKILL')
    await ended
    rmSync(this.directory, { recursive: true, force: true })
  }

  private async answers(): Promise<boolean> {
    try {
      const all = { key: Buffer.from('a').toString('base64') }
      return (await postJson(`${this.endpoint}/v3/kv/range`, all, { timeoutMs: 500 })).status === 200
    } catch {
      return false
    }
  }
}
