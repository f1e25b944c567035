import { type Events, noEvents } from '../event.ts'
import type { Runtime } from '../runtime.ts'
import { NodeClock } from './clock.ts'
import { NodeDisk } from './disk.ts'
import { NodeHttp } from './http.ts'
import { NodeNet } from './net.ts'
import { NodeRandom } from './random.ts'
import { NodeTurn } from './turn.ts'

/** This machine. Several runtimes in one process do not know of each other. */
export function nodeRuntime(events: Events = noEvents): Runtime {
  return {
    clock: new NodeClock(),
    disk: new NodeDisk(),
    net: new NodeNet(events),
    http: new NodeHttp(),
    random: new NodeRandom(),
    turn: new NodeTurn(),
    events,
  }
}
