/** A part with a life: `start` acquires, `stop` releases; each may be called once. `stop` does not throw. */
export interface Service {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
}

/**
 * Starts in order, stops in reverse; a failed start stops what had started, and rethrows. One that fails to stop keeps
 * none of the others from it: its error comes after them.
 */
export function group(name: string, parts: readonly Service[]): Service {
  const running: Service[] = []
  const stop = async () => {
    const failures: unknown[] = []
    for (const part of running.splice(0).reverse()) await part.stop().catch(error => failures.push(error))
    if (failures.length > 0) throw failures[0]
  }
  const start = async () => {
    try {
      for (const part of parts) {
        await part.start()
        running.push(part)
      }
    } catch (error) {
      // Why it did not start is worth more than what went wrong afterwards.
      await stop().catch(() => {})
      throw error
    }
  }
  return { name, start, stop }
}

/** A part of a group that is only a pair of functions. */
export function part(
  name: string,
  { start, stop }: { start?: () => void; stop?: () => Promise<void> | void },
): Service {
  return { name, start: async () => start?.(), stop: async () => stop?.() }
}
