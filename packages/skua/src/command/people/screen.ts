/** Who wants to hear of the keys of a screen. */
export interface ScreenEars {
  /** q, Ctrl-C, or a signal that ends the process. */
  quit(): void
  /** The window has another size. */
  resized(): void
}

/** A terminal that was taken over. */
export interface OpenScreen {
  readonly columns: number
  readonly rows: number
  /** Shows these lines and nothing else. */
  draw(lines: readonly string[]): void
  /** Leaves the terminal as it was. */
  close(): void
}

/** Takes the terminal over. */
export type OpenScreenOf = (ears: ScreenEars) => OpenScreen

/** What terminals since xterm obey: the second screen and back, the cursor, the line's and the screen's rest. */
const code = {
  enter: '\x1b[?1049h\x1b[?25l',
  leave: '\x1b[?25h\x1b[?1049l',
  home: '\x1b[H',
  clearLine: '\x1b[K',
  clearBelow: '\x1b[J',
}
const ctrlC = '\u0003'
const endings = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const

/** This process's terminal; undefined where standard output is none. */
export const processScreen = (): OpenScreenOf | undefined => (process.stdout.isTTY === true ? takeOver : undefined)

function takeOver(ears: ScreenEars): OpenScreen {
  const { stdin, stdout } = process
  const quit = () => ears.quit()
  const resized = () => ears.resized()
  const key = (bytes: Buffer) => {
    const typed = bytes.toString('latin1')
    if (typed.includes(ctrlC) || /q/i.test(typed)) ears.quit()
  }
  // Whatever ends the process, the terminal is given back.
  const restore = () => void stdout.write(code.leave)
  process.once('exit', restore)
  for (const signal of endings) process.on(signal, quit)
  stdout.on('resize', resized)
  if (stdin.isTTY) {
    stdin.setRawMode(true)
    stdin.on('data', key)
    stdin.resume()
  }
  stdout.write(code.enter)
  return {
    get columns() {
      return stdout.columns
    },
    get rows() {
      return stdout.rows
    },
    draw: lines =>
      void stdout.write(code.home + lines.map(line => `${line}${code.clearLine}`).join('\r\n') + code.clearBelow),
    close: () => {
      process.off('exit', restore)
      for (const signal of endings) process.off(signal, quit)
      stdout.off('resize', resized)
      if (stdin.isTTY) {
        stdin.off('data', key)
        stdin.setRawMode(false)
        stdin.pause()
      }
      restore()
    },
  }
}
