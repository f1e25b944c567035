import type { Service } from '@skua-mq/runtime'

export interface RunOptions {
  /** Survives the end of its terminal: nohup's wish, which Node undoes by setting its own handler. */
  readonly ignoreHangUp: boolean
  /** Said when the end has begun. */
  readonly onStop?: () => void
}

/** How long a clean stop may take before the process ends all the same. */
const stopPatienceMs = 10_000

/** Keeps a started server until SIGINT or SIGTERM, then stops it; a second signal ends the process at once. */
export function untilSignal(server: Pick<Service, 'stop'>, options: RunOptions): void {
  let stopping = false
  const stop = async () => {
    if (stopping) process.exit(1)
    stopping = true
    options.onStop?.()
    setTimeout(() => process.exit(1), stopPatienceMs).unref()
    await server.stop()
    process.exit(0)
  }
  process.on('SIGINT', stop)
  process.on('SIGTERM', stop)
  process.on('SIGHUP', options.ignoreHangUp ? () => {} : stop)
}
