const width = 30
/** A bar that is drawn more often flickers; one for work that is over at once only disturbs. */
const everyMs = 100
const quietMs = 500

/** A line on standard error that says how far something long has come; nothing where that is no terminal. */
export class ProgressBar {
  private readonly what: string
  private readonly now: () => number
  private readonly begunAt: number
  private drawnAt = 0

  constructor(what: string, now: () => number) {
    this.what = what
    this.now = now
    this.begunAt = now()
  }

  readonly update = (done: number, total: number): void => {
    const now = this.now()
    if (!process.stderr.isTTY || now - this.begunAt < quietMs || now - this.drawnAt < everyMs) return
    this.drawnAt = now
    process.stderr.write(`\r${barText(this.what, done, total)}\x1b[K`)
  }

  /** Takes the line away, so that what follows begins a line. */
  readonly end = (): void => {
    if (this.drawnAt > 0) process.stderr.write('\r\x1b[K')
    this.drawnAt = 0
  }
}

/** `verify [######      ] 40 % of 1,024 MiB`. */
export function barText(what: string, done: number, total: number): string {
  const share = total === 0 ? 1 : Math.min(1, Math.max(0, done / total))
  const filled = Math.round(share * width)
  const bar = '#'.repeat(filled) + ' '.repeat(width - filled)
  return `${what} [${bar}] ${Math.floor(share * 100)} % of ${Math.ceil(total / 1024 ** 2).toLocaleString('en-US')} MiB`
}
