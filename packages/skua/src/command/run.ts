import { oneLine } from './fail.ts'
import { atLastResort } from './last-resort.ts'

export interface RunOptions {
  /** Survives the end of its terminal: nohup's wish, which Node undoes by setting its own handler. */
  readonly ignoreHangUp: boolean
  /** Said when the end has begun. */
  readonly onStop?: () => void
}

/** What runs until a signal ends it. */
export interface Running {
  stop(): Promise<void>
  /** Saves at once what an end without a clean stop would lose. */
  rescue?(): void
}

/** How long a clean stop may take before the process ends all the same. */
const stopPatienceMs = 60_000

/**
 * Runs a server until SIGINT, SIGTERM or the end of its terminal, then stops it. Service managers and process groups send
 * SIGTERM twice, so only a second Ctrl-C hurries: what a clean stop would have saved at its end is saved first. The handlers
 * stand before the start: whoever reads the first line may hang up that moment.
 */
export async function untilSignal<S extends Running>(start: () => Promise<S>, options: RunOptions): Promise<S> {
  let starting: Promise<S> | undefined
  let running: S | undefined
  let stopping = false
  const hurry = () => {
    try {
      running?.rescue?.()
    } finally {
      process.exit(1)
    }
  }
  const stop = async (exitCode = 0) => {
    if (stopping) return
    stopping = true
    options.onStop?.()
    setTimeout(hurry, stopPatienceMs).unref()
    try {
      await (await starting)?.stop()
      process.exit(exitCode)
    } catch (error) {
      process.stderr.write(`skua: not stopped cleanly: ${oneLine(error)}\n`)
      hurry()
    }
  }
  // A server outlives whoever read its lines.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  // Ctrl-C goes to a whole group of processes, of which one may have told this one by SIGTERM already.
  let interrupts = 0
  process.on('SIGINT', () => (++interrupts > 1 ? hurry() : void stop()))
  process.on('SIGTERM', () => void stop())
  process.on('SIGHUP', options.ignoreHangUp ? () => {} : () => void stop())
  atLastResort(stop)
  starting = start()
  running = await starting
  return running
}
