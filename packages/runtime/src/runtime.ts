import type { Clock } from './clock.ts'
import type { Disk } from './disk.ts'
import type { Events } from './event.ts'
import type { Http } from './http.ts'
import type { Net } from './net.ts'
import type { Random } from './random.ts'
import type { Turn } from './turn.ts'

/** Everything a server takes from the machine, in one value. Parts take only the members that they use. */
export interface Runtime {
  readonly clock: Clock
  readonly disk: Disk
  readonly net: Net
  readonly http: Http
  readonly random: Random
  readonly turn: Turn
  readonly events: Events
}
