/** A part with a life: `start` acquires, `stop` releases; each may be called once. `stop` does not throw. */
export interface Service {
  readonly name: string
  start(): Promise<void>
  stop(): Promise<void>
}

/** Starts in order, stops in reverse; a failed start stops what had started, and rethrows. */
export function group(name: string, parts: readonly Service[]): Service {
  const running: Service[] = []
  const stop = async () => {
    for (const part of running.splice(0).reverse()) await part.stop()
  }
  const start = async () => {
    try {
      for (const part of parts) {
        await part.start()
        running.push(part)
      }
    } catch (error) {
      await stop()
      throw error
    }
  }
  return { name, start, stop }
}
