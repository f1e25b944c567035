import {
  type Address,
  type Clock,
  defineEvent,
  type Events,
  type Listener,
  type Net,
  type Service,
} from '@skua-mq/runtime'
import type { MessageStore } from '@skua-mq/store'
import { SlaveConnection, type SlaveConnectionParts } from './slave-connection.ts'
import type { SlaveProgress } from './slave-progress.ts'

export const slaveConnected = defineEvent<{ slave: string }>('slave connected', 'info')
export const slaveGone = defineEvent<{ slave: string; reason: string }>('slave is gone', 'warn')

export interface HaServerParts {
  readonly clock: Clock
  readonly net: Net
  readonly events: Events
  readonly store: SlaveConnectionParts['store'] & Pick<MessageStore, 'onArrival'>
  readonly progress: SlaveProgress
  readonly listen: Address
  readonly settings: SlaveConnectionParts['settings']
}

/** Slaves of one master, at most: each costs a copy of all that is written. */
const maxSlaves = 16

/** Where slaves connect (ha.md 2): plain TCP on the port behind the broker's own. */
export class HaServer implements Service {
  readonly name = 'ha server'
  private readonly parts: HaServerParts
  private readonly connections = new Set<SlaveConnection>()
  private listener: Listener | undefined

  constructor(parts: HaServerParts) {
    this.parts = parts
    parts.store.onArrival({
      arrived: () => {
        for (const connection of this.connections) connection.wake()
      },
    })
  }

  async start(): Promise<void> {
    const { net, listen, events, progress } = this.parts
    this.listener = await net.listen(listen, socket => {
      const slave = `${socket.remote.host}:${socket.remote.port}`
      if (this.connections.size >= maxSlaves) {
        events.emit(slaveGone({ slave, reason: `there are ${maxSlaves} slaves already` }))
        socket.destroy()
        return
      }
      progress.joined()
      events.emit(slaveConnected({ slave }))
      const connection = new SlaveConnection(socket, {
        ...this.parts,
        confirmed: offset => progress.confirm(offset),
        closed: reason => {
          this.connections.delete(connection)
          progress.left()
          events.emit(slaveGone({ slave, reason }))
        },
      })
      this.connections.add(connection)
    })
  }

  async stop(): Promise<void> {
    await this.listener?.close()
    this.listener = undefined
    for (const connection of [...this.connections]) connection.close('this broker stops')
  }
}
