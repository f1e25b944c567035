/** sysexits.h: an error of the program itself. Service managers start it again. */
export const faultExitCode = 70

/**
 * What nobody caught is a fault of ours: the process cannot be trusted any more, but what was acknowledged is to be kept.
 * Says what happened, every time, and has the server ended once, as cleanly as it can be. A promise that nobody waits for
 * comes the same way.
 */
export function atLastResort(end: (exitCode: number) => Promise<void>): void {
  let isEnding = false
  process.on('uncaughtException', (error, origin) => {
    const text = error instanceof Error ? (error.stack ?? error.message) : String(error)
    process.stderr.write(`skua: a fault of its own (${origin}), the server ends: ${text}\n`)
    if (isEnding) return
    isEnding = true
    void end(faultExitCode)
  })
}
