import {
  type Address,
  type Clock,
  defineEvent,
  type Events,
  type Listener,
  type Net,
  type Service,
  type Socket,
} from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { SlaveConnection, type SlaveConnectionParts } from './slave-connection.ts'
import type { SlaveProgress } from './slave-progress.ts'

export const slaveConnected = defineEvent<{ slave: string; offset: number }>('slave connected', 'info')
export const slaveFaltered = defineEvent<{ slave: string; position: number; sent: number; silentMs: number }>(
  'slave does not report what it was sent; nobody waits for it until it does',
  'warn',
)
export const slaveRecovered = defineEvent<{ slave: string; position: number }>('slave reports again', 'info')
export const slaveGone = defineEvent<{ slave: string; reason: string }>('slave is gone', 'warn')

export interface HaServerParts {
  readonly clock: Clock
  readonly net: Net
  readonly events: Events
  readonly store: SlaveConnectionParts['store'] & Pick<MessageStore, 'onArrival'>
  readonly progress: SlaveProgress
  /** A slave has come or gone, or answers no more, or again. */
  readonly changed: () => void
  readonly listen: Address
  /** Connections that have not reported, at most, where that is less than `maxUnreported`. */
  readonly crowd: number
  readonly settings: SlaveConnectionParts['settings']
}

/** Slaves of one master, at most: each costs a copy of all that is written. */
export const maxSlaves = 16

/**
 * Connections that have not reported yet, at most: RocketMQ's slaves take 5 s until their first report. They cost next to
 * nothing, and where more come the oldest is closed, so that no crowd keeps a slave out.
 */
export const maxUnreported = 256

/** Where slaves connect (ha.md 2): plain TCP on the port behind the broker's own. */
export class HaServer implements Service {
  readonly name = 'ha server'
  private readonly parts: HaServerParts
  private readonly connections = new Set<SlaveConnection>()
  private listener: Listener | undefined
  private stopping = false

  constructor(parts: HaServerParts) {
    this.parts = parts
    parts.store.onArrival({
      arrived: () => {
        for (const connection of this.connections) connection.wake()
      },
    })
  }

  async start(): Promise<void> {
    const { net, listen, changed } = this.parts
    changed()
    this.listener = await net.listen(listen, socket => this.accept(socket), { room: () => this.crowd })
  }

  private get crowd(): number {
    return Math.min(maxUnreported, this.parts.crowd)
  }

  private accept(socket: Socket): void {
    if (this.stopping) {
      socket.destroy()
      return
    }
    this.closeOldestUnreported()
    const { events, progress } = this.parts
    const slave = `${socket.remote.host}:${socket.remote.port}`
    const connection = new SlaveConnection(socket, {
      ...this.parts,
      joined: () => {
        const refusal = this.refusal()
        if (refusal !== undefined) return refusal
        progress.joined(connection)
        this.parts.changed()
        events.emit(slaveConnected({ slave, offset: connection.position }))
        return undefined
      },
      confirmed: offset => progress.confirm(offset),
      faltered: (sent, silentMs) => {
        events.emit(slaveFaltered({ slave, position: connection.position, sent, silentMs }))
        progress.faltered()
        this.parts.changed()
      },
      recovered: () => {
        events.emit(slaveRecovered({ slave, position: connection.position }))
        this.parts.changed()
      },
      closed: reason => {
        this.connections.delete(connection)
        progress.left(connection)
        this.parts.changed()
        events.emit(slaveGone({ slave, reason }))
      },
    })
    this.connections.add(connection)
  }

  private closeOldestUnreported(): void {
    const unreported = [...this.connections].filter(connection => !connection.isSlave)
    if (unreported.length >= this.crowd)
      unreported[0]?.close(`${this.crowd} connections came after it, and it has not reported`)
  }

  /** A newcomer takes the place of the slave that has been silent the longest; where all keep up it has none. */
  private refusal(): string | undefined {
    if (this.parts.progress.count < maxSlaves) return undefined
    let silent: SlaveConnection | undefined
    for (const connection of this.connections) {
      if (!connection.isSlave || connection.keepsUp) continue
      if (silent === undefined || connection.keptUpMs < silent.keptUpMs) silent = connection
    }
    if (silent === undefined) return `there are ${maxSlaves} slaves already`
    silent.close('it does not confirm what it is sent, and another slave wants its place')
    return undefined
  }

  async stop(): Promise<void> {
    this.stopping = true
    await this.listener?.close()
    this.listener = undefined
    const connections = [...this.connections]
    for (const connection of connections) connection.close('this broker stops')
    await Promise.all(connections.map(connection => connection.settled()))
  }
}
