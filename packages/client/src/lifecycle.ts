import { ClientError } from './error.ts'

/** Start once, close once: `start` may be called by whoever needs it, and a failed start may be tried again. */
export class Lifecycle {
  private readonly what: string
  private readonly open: () => Promise<void>
  private readonly shut: () => Promise<void>
  private starting: Promise<void> | undefined
  private closing: Promise<void> | undefined
  running = false

  constructor(what: string, steps: { start: () => Promise<void>; stop: () => Promise<void> }) {
    this.what = what
    this.open = steps.start
    this.shut = steps.stop
  }

  get closed(): boolean {
    return this.closing !== undefined
  }

  /** Errors: ClientError STATE after `close`; what starting threw. */
  start(): Promise<void> {
    if (this.closing !== undefined) return Promise.reject(new ClientError('STATE', `this ${this.what} is closed`))
    this.starting ??= this.open().then(
      () => {
        this.running = true
      },
      error => {
        this.starting = undefined
        throw error
      },
    )
    return this.starting
  }

  /** Waits for a start that is under way. */
  close(): Promise<void> {
    this.closing ??= this.stop()
    return this.closing
  }

  private async stop(): Promise<void> {
    try {
      await this.starting
    } catch {
      // Who started it was told.
      return
    }
    this.running = false
    if (this.starting !== undefined) await this.shut()
  }
}
