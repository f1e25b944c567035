import { type ChildProcess, spawn } from 'node:child_process'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { createInterface } from 'node:readline'

/** A reply that names an error; `code` is the broker's where there was one. */
export class DriverError extends Error {
  readonly code: number | undefined
  constructor(message: string, code: number | undefined) {
    super(message)
    this.code = code
  }
}

interface Reply {
  ready?: true
  took?: string
  id?: number
  result?: unknown
  error?: string
  code?: number
}

interface Waiting {
  resolve(result: unknown): void
  reject(error: Error): void
}

const callTimeoutMs = 120_000

export interface DriverOptions {
  /**
   * Home folder of the client, where it keeps logs and the offsets of broadcasting groups. Default: a fresh one, which
   * goes with the process. A client that is to find its offsets again is given the same one twice.
   */
  readonly home?: string
  /** A consumer of a `push` with `report: true` took a message, and told so before it acknowledged it. */
  readonly took?: (body: string) => void
  /** Where it runs: what is written there goes with it. Default: here. */
  readonly cwd?: string
  /** What it signs with; default: it does not. */
  readonly credentials?: { readonly accessKey: string; readonly secretKey: string }
  /** Further arguments of a JVM, such as -Dtls.enable=true. */
  readonly jvm?: readonly string[]
}

/** What to start: a file and its arguments, which may name the home folder. */
export interface DriverCommand extends DriverOptions {
  readonly file: string
  args(home: string): readonly string[]
}

/** A process with an official client in it, which answers lines of JSON with lines of JSON. */
export class Driver {
  private readonly child: ChildProcess
  private readonly waiting = new Map<number, Waiting>()
  private readonly ready: Promise<void>
  private lastId = 0
  private errors = ''

  private readonly ownHome: string | undefined

  constructor({ file, args, home: given, took, cwd, credentials }: DriverCommand) {
    this.ownHome = given === undefined ? mkdtempSync(join(tmpdir(), 'skua-client-')) : undefined
    const home = given ?? this.ownHome ?? ''
    const keys =
      credentials === undefined
        ? {}
        : { SKUA_ACCESS_KEY: credentials.accessKey, SKUA_SECRET_KEY: credentials.secretKey }
    const env = { ...process.env, HOME: home, ...keys }
    const child = spawn(file, [...args(home)], {
      stdio: ['pipe', 'pipe', 'pipe'],
      env,
      ...(cwd === undefined ? {} : { cwd }),
    })
    this.child = child
    process.once('exit', this.killNow)
    child.stderr?.on('data', chunk => {
      this.errors = (this.errors + String(chunk)).slice(-8000)
    })
    this.ready = new Promise((resolve, reject) => {
      child.once('error', reject)
      child.once('exit', code => {
        const error = new Error(`the driver ${file} ended with ${code}: ${this.errors}`)
        reject(error)
        for (const call of this.waiting.values()) call.reject(error)
        this.waiting.clear()
      })
      createInterface({ input: child.stdout! }).on('line', line => {
        if (!line.startsWith('{')) return
        const reply = JSON.parse(line) as Reply
        if (reply.ready) resolve()
        if (reply.took !== undefined) took?.(reply.took)
        const call = this.waiting.get(reply.id ?? -1)
        if (call === undefined) return
        this.waiting.delete(reply.id ?? -1)
        if (reply.error === undefined) call.resolve(reply.result)
        else call.reject(new DriverError(reply.error, reply.code))
      })
    })
    this.ready.catch(() => {})
  }

  async call<T = unknown>(what: string, request: Record<string, unknown> = {}): Promise<T> {
    await this.ready
    const id = ++this.lastId
    const result = new Promise<unknown>((resolve, reject) => this.waiting.set(id, { resolve, reject }))
    this.child.stdin?.write(`${JSON.stringify({ id, do: what, ...request })}\n`)
    const timer = setTimeout(() => {
      this.waiting.get(id)?.reject(new Error(`${what} did not answer within ${callTimeoutMs} ms: ${this.errors}`))
      this.waiting.delete(id)
    }, callTimeoutMs)
    try {
      return (await result) as T
    } finally {
      clearTimeout(timer)
    }
  }

  /** Ends the process without asking it. */
  async kill(): Promise<void> {
    process.removeListener('exit', this.killNow)
    if (this.child.exitCode === null && this.child.signalCode === null) {
      const gone = new Promise(resolve => this.child.once('exit', resolve))
      this.child.kill('SIGKILL')
      await gone
    }
    if (this.ownHome !== undefined) rmSync(this.ownHome, { recursive: true, force: true })
  }

  private readonly killNow = () => {
    this.child.kill('SIGKILL')
    if (this.ownHome !== undefined) rmSync(this.ownHome, { recursive: true, force: true })
  }
}
