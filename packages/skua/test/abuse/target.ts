import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { connect, type Socket } from 'node:net'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { Worker } from 'node:worker_threads'
import { RemotingClient } from '@skua-mq/remoting'
import { nodeRuntime } from '@skua-mq/runtime'
import { freePorts } from '../../src/index.ts'
import { bundle, ServerProcess } from '../server-process.ts'

export interface TargetOptions {
  readonly config?: Readonly<Record<string, string>> | undefined
  /** `ulimit -n` of the process. */
  readonly descriptors?: number | undefined
}

export interface InnocentFigures {
  readonly answered: number
  readonly slowestMs: number
  /** Why it ended; empty while it runs. */
  readonly failed: string
}

/** A server process that is abused, with an innocent client beside the abusers. */
export class Target {
  readonly ports: { readonly broker: number; readonly nameServer: number }
  /** For what a case prepares. */
  readonly client = new RemotingClient(nodeRuntime())
  private readonly directory: string
  private readonly server: ServerProcess
  private readonly sockets = new Set<Socket>()
  private innocent: Worker | undefined

  private constructor(server: ServerProcess, directory: string, ports: Target['ports']) {
    this.server = server
    this.directory = directory
    this.ports = ports
  }

  static async start({ config = {}, descriptors }: TargetOptions): Promise<Target> {
    const directory = mkdtempSync(join(tmpdir(), 'skua-abuse-'))
    const ports = await freePorts(nodeRuntime().net, '127.0.0.1')
    const flags = ['--store', directory, '--port', `${ports.broker}`, '--namesrv-port', `${ports.nameServer}`]
    for (const [key, value] of Object.entries(config)) flags.push('--config', `${key}=${value}`)
    const limited = ['-c', `ulimit -n ${descriptors} && exec "$0" "$@"`, process.execPath, bundle, ...flags]
    const server = descriptors === undefined ? ServerProcess.skua(flags) : new ServerProcess('sh', limited)
    await server.says(/is ready/)
    return new Target(server, directory, ports)
  }

  get address(): string {
    return `127.0.0.1:${this.ports.broker}`
  }

  get isAlive(): boolean {
    return this.server.child.exitCode === null && this.server.child.signalCode === null
  }

  /** What it has said on standard error. */
  get errors(): string {
    return this.server.errors
  }

  /** How many descriptors it has open. */
  get descriptors(): number {
    return readdirSync(`/proc/${this.server.child.pid}/fd`).length
  }

  get residentMiB(): number {
    const status = readFileSync(`/proc/${this.server.child.pid}/status`, 'utf8')
    return Math.round(Number(/^VmRSS:\s+(\d+)/m.exec(status)?.[1] ?? 0) / 1024)
  }

  /** A raw connection; errors and ends of it are the case's business only if it listens. */
  open(port = this.ports.broker): Promise<Socket> {
    return new Promise(resolve => {
      const socket = connect({ host: '127.0.0.1', port, noDelay: true }, () => resolve(socket))
      this.sockets.add(socket)
      socket.on('error', () => resolve(socket))
      socket.on('close', () => this.sockets.delete(socket))
    })
  }

  /** As many at once. */
  openAll(count: number, port?: number): Promise<Socket[]> {
    return Promise.all(Array.from({ length: count }, () => this.open(port)))
  }

  async startInnocent(): Promise<void> {
    this.innocent = new Worker(new URL('./innocent.mjs', import.meta.url), {
      workerData: { port: this.ports.broker },
      execArgv: [],
    })
    while ((await this.figures()).answered < 20) await new Promise(resolve => setTimeout(resolve, 10))
    await this.figures('reset')
  }

  figures(what: 'tell' | 'reset' = 'tell'): Promise<InnocentFigures> {
    const worker = this.innocent as Worker
    return new Promise((resolve, reject) => {
      worker.once('error', reject)
      worker.once('message', figures => {
        worker.off('error', reject)
        resolve(figures)
      })
      worker.postMessage(what)
    })
  }

  async stop(): Promise<number> {
    for (const socket of this.sockets) socket.destroy()
    await this.innocent?.terminate()
    await this.client.close()
    const { code } = this.isAlive ? await this.server.signal('SIGTERM') : { code: await this.server.exit() }
    rmSync(this.directory, { recursive: true, force: true })
    return code
  }
}
