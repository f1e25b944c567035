import { type ChildProcess, spawn } from 'node:child_process'
import { createWriteStream } from 'node:fs'

/** How long a JVM may take to end by itself before it is killed. */
const stopPatienceMs = 20_000

/** A server in a JVM of its own, which ends with this process. */
export class ServerProcess {
  private readonly child: ChildProcess
  private output = ''

  constructor(args: readonly string[], options: { readonly home: string; readonly log: string }) {
    const child = spawn('java', [...args], {
      cwd: options.home,
      env: { ...process.env, ROCKETMQ_HOME: options.home },
      stdio: ['ignore', 'pipe', 'pipe'],
    })
    this.child = child
    const log = createWriteStream(options.log)
    for (const stream of [child.stdout, child.stderr]) {
      stream?.on('data', chunk => {
        log.write(chunk)
        this.output = (this.output + String(chunk)).slice(-4000)
      })
    }
    process.once('exit', this.killNow)
  }

  get pid(): number {
    return this.child.pid ?? -1
  }

  private get ended(): boolean {
    return this.child.exitCode !== null || this.child.signalCode !== null
  }

  /** Polls until `check` says yes; a check that rejects says no. */
  async until(check: () => Promise<boolean>, what: string, timeoutMs = 60_000): Promise<void> {
    const end = Date.now() + timeoutMs
    while (!(await check().catch(() => false))) {
      if (this.ended) throw new Error(`the server ended before ${what}: ${this.output}`)
      if (Date.now() > end) throw new Error(`not within ${timeoutMs} ms: ${what}: ${this.output}`)
      await new Promise(resolve => setTimeout(resolve, 50))
    }
  }

  async stop(signal: NodeJS.Signals = 'SIGTERM'): Promise<void> {
    process.removeListener('exit', this.killNow)
    if (this.ended) return
    const gone = new Promise(resolve => this.child.once('exit', resolve))
    this.child.kill(signal)
    const timer = setTimeout(() => this.child.kill('SIGKILL'), stopPatienceMs)
    await gone
    clearTimeout(timer)
  }

  private readonly killNow = () => {
    this.child.kill('SIGKILL')
  }
}
