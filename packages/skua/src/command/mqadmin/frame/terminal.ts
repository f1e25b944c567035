/** Where a command prints; a test reads along. */
export interface Terminal {
  /** Waits where nobody takes what was printed. */
  out(text: string): Promise<void> | undefined
  error(text: string): void
}

/** Standard output and standard error. */
export const processTerminal: Terminal = {
  out: text => {
    if (process.stdout.write(text)) return undefined
    return new Promise(resolve => process.stdout.once('drain', resolve))
  },
  error: text => void process.stderr.write(text),
}
