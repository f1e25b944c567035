import {
  type Clock,
  type Disk,
  type Events,
  type Life,
  type Listener,
  loopTurn,
  type Net,
  NodeHttp,
  NodeProcessFacts,
  type ProcessFacts,
  type Random,
  type Runtime,
  SimTurn,
  type Slack,
  type Socket,
  type Timer,
} from '@skua-mq/runtime'

export interface LifeParts {
  readonly clock: Clock
  readonly net: Net
  readonly random: Random
  readonly events: Events
  readonly disk: (life: Life) => Disk
}

let lives = 0

/**
 * The machine of one life of a server. A killed one is gone at once: none of its timers and turns runs again, its connections
 * and ports are closed, its calls of the disk fail.
 */
export class ServerLife {
  readonly runtime: Runtime
  readonly facts: ProcessFacts
  private readonly life: Life = { alive: true }
  private readonly sockets = new Set<Socket>()
  private readonly listeners = new Set<Listener>()
  /** Those of a real clock would keep the test's process alive. */
  private readonly timers = new Set<Timer>()
  private readonly parts: LifeParts

  constructor(parts: LifeParts) {
    this.parts = parts
    const { events, random } = parts
    this.runtime = {
      clock: this.clock(),
      disk: parts.disk(this.life),
      net: this.net(),
      http: new NodeHttp(),
      random,
      turn: new SimTurn(run => void loopTurn().then(() => this.life.alive && run())),
      events: { emit: event => (this.life.alive ? events.emit(event) : undefined) },
    }
    this.facts = factsOf(`test broker ${++lives}`)
  }

  async kill(): Promise<void> {
    this.life.alive = false
    for (const timer of this.timers) timer.cancel()
    this.timers.clear()
    for (const socket of [...this.sockets]) socket.destroy()
    await Promise.all([...this.listeners].map(listener => listener.close()))
  }

  private clock(): Clock {
    const { clock } = this.parts
    return {
      leaps: clock.leaps === true,
      now: () => clock.now(),
      monotonic: () => clock.monotonic(),
      after: (ms, run, slack) => this.after(ms, run, slack),
    }
  }

  private after(ms: number, run: () => void, slack: Slack | undefined): Timer {
    const timer = this.parts.clock.after(
      ms,
      () => {
        this.timers.delete(timer)
        if (this.life.alive) run()
      },
      slack,
    )
    this.timers.add(timer)
    return {
      cancel: () => {
        this.timers.delete(timer)
        timer.cancel()
      },
    }
  }

  private net(): Net {
    const { net } = this.parts
    return {
      listen: async (at, accept, options) => {
        const listener = await net.listen(at, socket => accept(this.tracked(socket)), options)
        this.listeners.add(listener)
        return {
          address: listener.address,
          close: () => {
            this.listeners.delete(listener)
            return listener.close()
          },
        }
      },
      connect: async (to, options) => this.tracked(await net.connect(to, options)),
      ownAddresses: () => net.ownAddresses(),
      resolve: host => net.resolve(host),
    }
  }

  private tracked(socket: Socket): Socket {
    this.sockets.add(socket)
    const { sockets, life } = this
    return {
      remote: socket.remote,
      local: socket.local,
      get unsentBytes() {
        return socket.unsentBytes
      },
      start: handlers =>
        socket.start({
          data: chunk => void (life.alive && handlers.data(chunk)),
          drained: () => void (life.alive && handlers.drained()),
          closed: error => {
            sockets.delete(socket)
            if (life.alive) handlers.closed(error)
          },
        }),
      write: parts => socket.write(parts),
      pause: () => socket.pause(),
      resume: () => socket.resume(),
      end: () => socket.end(),
      destroy: () => {
        sockets.delete(socket)
        socket.destroy()
      },
    }
  }
}

/** Each life is told apart from the one before, whose lock may still be there. */
function factsOf(instance: string): ProcessFacts {
  const facts = new NodeProcessFacts()
  return {
    pid: facts.pid,
    bootId: facts.bootId,
    instance: `${facts.instance} ${instance}`,
    descriptorLimit: facts.descriptorLimit,
    use: () => facts.use(),
    startedAt: pid => facts.startedAt(pid),
    lockHolder: path => facts.lockHolder(path),
  }
}
