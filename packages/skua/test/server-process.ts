import { type ChildProcess, spawn } from 'node:child_process'
import { existsSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'

export const repository = join(dirname(fileURLToPath(import.meta.url)), '..', '..', '..')
export const bundle = join(repository, 'packages', 'skua', 'dist', 'bundle', 'main.js')

/** A built command as users run it. */
export class ServerProcess {
  readonly child: ChildProcess
  output = ''
  errors = ''
  private readonly ended: Promise<number>

  constructor(file: string, args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}) {
    if (!existsSync(bundle)) throw new Error('not built: npm run build first')
    this.child = spawn(file, [...args], {
      stdio: ['ignore', 'pipe', 'pipe'],
      ...options,
      env: { ...process.env, ...options.env },
    })
    this.child.stdout?.on('data', chunk => {
      this.output += String(chunk)
    })
    this.child.stderr?.on('data', chunk => {
      this.errors += String(chunk)
    })
    this.ended = new Promise(resolve =>
      this.child.once('close', (code, signal) => resolve(code ?? (signal === null ? -1 : -2))),
    )
  }

  /** The built `skua` with its arguments. */
  static skua(args: readonly string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): ServerProcess {
    return new ServerProcess(process.execPath, [bundle, ...args], options)
  }

  /** Waits for a line on standard output. */
  async says(pattern: RegExp, timeoutMs = 20_000): Promise<RegExpExecArray> {
    const until = Date.now() + timeoutMs
    for (;;) {
      const found = pattern.exec(this.output)
      if (found !== null) return found
      if (this.child.exitCode !== null)
        throw new Error(`ended with ${this.child.exitCode}: ${this.output}${this.errors}`)
      if (Date.now() > until)
        throw new Error(`did not say ${pattern} within ${timeoutMs} ms: ${this.output}${this.errors}`)
      await new Promise(resolve => setTimeout(resolve, 10))
    }
  }

  /** Exit code; -2 for an end by signal. */
  exit(): Promise<number> {
    return this.ended
  }

  /** Stopped from here on until `resume`; resolves after that time. */
  async pause(ms: number): Promise<void> {
    this.child.kill('SIGSTOP')
    await new Promise(resolve => setTimeout(resolve, ms))
  }

  resume(): void {
    this.child.kill('SIGCONT')
  }

  /** Sends a signal and answers exit code and how long the end took. */
  async signal(name: NodeJS.Signals): Promise<{ code: number; ms: number }> {
    const begun = performance.now()
    this.child.kill(name)
    return { code: await this.ended, ms: performance.now() - begun }
  }
}
