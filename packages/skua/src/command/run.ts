import type { Service } from '@skua-mq/runtime'

export interface RunOptions {
  /** Survives the end of its terminal: nohup's wish, which Node undoes by setting its own handler. */
  readonly ignoreHangUp: boolean
  /** Said when the end has begun. */
  readonly onStop?: () => void
}

/** How long a clean stop may take before the process ends all the same. */
const stopPatienceMs = 60_000

/**
 * Runs a server until SIGINT or SIGTERM, then stops it; a second signal ends the process at once. The handlers stand
 * before the start: whoever reads the first line may hang up that moment.
 */
export async function untilSignal<S extends Pick<Service, 'stop'>>(
  start: () => Promise<S>,
  options: RunOptions,
): Promise<S> {
  let starting: Promise<S> | undefined
  let stopping = false
  const stop = async () => {
    if (stopping) process.exit(1)
    stopping = true
    options.onStop?.()
    setTimeout(() => process.exit(1), stopPatienceMs).unref()
    await (await starting)?.stop()
    process.exit(0)
  }
  // A server outlives whoever read its lines.
  for (const stream of [process.stdout, process.stderr]) stream.on('error', () => {})
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', options.ignoreHangUp ? () => {} : stop)
  starting = start()
  return starting
}
