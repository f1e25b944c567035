import { type Events, noEvents } from '../event.ts'
import type { Runtime } from '../runtime.ts'
import { SimClock } from './clock.ts'
import { SimDisk } from './disk.ts'
import { SimHttp } from './http.ts'
import type { SimNet } from './net.ts'
import { SimNetwork } from './network.ts'
import { SimRandom } from './random.ts'
import { SimTurn } from './turn.ts'

export interface SimRuntimeOptions {
  readonly seed: number
  /** Name in the network; default `host`. */
  readonly host?: string
  readonly events?: Events
  /** Share these to put several runtimes into one world. */
  readonly clock?: SimClock
  readonly network?: SimNetwork
}

export interface SimRuntime extends Runtime {
  readonly clock: SimClock
  readonly disk: SimDisk
  readonly net: SimNet
  readonly http: SimHttp
  readonly random: SimRandom
  readonly turn: SimTurn
  readonly network: SimNetwork
}

/** A machine that repeats with its seed. Nothing moves until `clock` is advanced; turns drive themselves on it. */
export function simRuntime(options: SimRuntimeOptions): SimRuntime {
  const random = new SimRandom(options.seed)
  const clock = options.clock ?? new SimClock()
  const network = options.network ?? new SimNetwork({ clock, random: random.fork() })
  const net = network.host(options.host ?? 'host')
  return {
    clock,
    disk: new SimDisk(clock),
    network,
    net,
    http: new SimHttp(net),
    random,
    turn: new SimTurn(run => clock.after(0, run)),
    events: options.events ?? noEvents,
  }
}
