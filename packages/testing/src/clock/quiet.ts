import { type Clock, delay, loopTurn, NodeClock } from '@skua-mq/runtime'

/** Turns of the loop without anything moving after which all is quiet. */
const quietTurns = 4

/** What the machine's own time decides: how long somebody is waited for whom the kit does not see. */
export interface Patience {
  /** For a handler that neither ends nor sleeps on the virtual clock. Default 1000. */
  readonly handlerMs: number
  /** For clients over sockets: no byte from or to them for so long. Default 25. */
  readonly socketMs: number
  /** The longest wait for the broker to answer those, held pulls apart. Default 2000. */
  readonly answerMs: number
}

export const defaultPatience: Patience = { handlerMs: 1000, socketMs: 25, answerMs: 2000 }

/** What is known of clients over sockets. */
export interface Sockets {
  /** Bytes have come or gone so often. */
  readonly moves: number
  /** Connections that are open. */
  readonly count: number
  /** Requests that are neither answered, nor held by their nature, nor by a fault. */
  readonly running: number
}

/** A handler that was called and has not ended. */
export interface HandlerRun {
  readonly group: string
  readonly what: string
  end(): void
}

interface Running extends HandlerRun {
  /** It was waited for in vain: it waits for time to pass, or for ever. */
  isLeft: boolean
}

/**
 * Knows whether anything is going on in the test's process. Quiet means: for a few turns of the loop no bytes moved, no timer
 * ran, no file was waited for; no handler of the kit's clients runs, but for those that sleep on the virtual clock; and of
 * clients over sockets nothing was heard for a while, and they have their answers.
 */
export class Quiet {
  private readonly patience: Patience
  private readonly machine: Clock = new NodeClock()
  private readonly handlers = new Set<Running>()
  private moves = 0
  private busy = 0
  private socketMoves = 0
  private sleepers = 0
  sockets: Sockets | undefined

  constructor(patience: Patience) {
    this.patience = patience
  }

  /** Something moved. */
  readonly stir = (): void => {
    this.moves++
  }

  /** Work outside of the loop, which ends by itself: it is waited for. */
  async during<T>(work: () => Promise<T>): Promise<T> {
    this.busy++
    try {
      return await work()
    } finally {
      this.busy--
      this.moves++
    }
  }

  /** A handler begins. */
  handling(group: string, what: string): HandlerRun {
    const run: Running = {
      group,
      what,
      isLeft: false,
      end: () => {
        this.handlers.delete(run)
        this.moves++
      },
    }
    this.handlers.add(run)
    this.moves++
    return run
  }

  /** Somebody waits for virtual time. */
  async sleeping<T>(sleep: () => Promise<T>): Promise<T> {
    this.sleepers++
    try {
      return await sleep()
    } finally {
      this.sleepers--
      this.moves++
    }
  }

  /** Handlers that run now, as texts. */
  get running(): string[] {
    return [...this.handlers].map(({ group, what }) => `${group}: ${what}`)
  }

  async settle(): Promise<void> {
    for (;;) {
      await this.turnsWithoutMoves()
      const before = this.moves
      await this.forHandlers()
      await this.forSockets()
      if (this.moves === before) return
    }
  }

  private async turnsWithoutMoves(): Promise<void> {
    for (let turns = 0, seen = -1; turns < quietTurns; turns++) {
      await loopTurn()
      if (this.busy === 0 && this.moves === seen) continue
      seen = this.moves
      turns = -1
    }
  }

  /** Of those that run, some work in the machine's time; those that sleep are known by number only. */
  private async forHandlers(): Promise<void> {
    const open = () => [...this.handlers].filter(run => !run.isLeft)
    if (open().length <= this.sleepers) return
    const before = this.moves
    const end = this.machine.monotonic() + this.patience.handlerMs
    while (this.moves === before && open().length > this.sleepers) {
      if (this.machine.monotonic() >= end) {
        for (const run of open()) run.isLeft = true
        return
      }
      await delay(this.machine, 1)
    }
  }

  private async forSockets(): Promise<void> {
    const { sockets } = this
    if (sockets === undefined || sockets.count === 0 || sockets.moves === this.socketMoves) return
    const end = this.machine.monotonic() + this.patience.answerMs
    do {
      this.socketMoves = sockets.moves
      await delay(this.machine, this.patience.socketMs)
    } while (sockets.moves !== this.socketMoves || (sockets.running > 0 && this.machine.monotonic() < end))
    this.socketMoves = sockets.moves
  }
}
