import { demoteBroker, promoteBroker } from '@skua-mq/protocol'
import { ok, type Route, route } from '@skua-mq/remoting'
import type { Following } from '../ha/feature.ts'
import { roleKeys } from '../ha/master-info.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { allPeersOf, peersOf } from './peers.ts'
import { RivalWatch } from './rival-watch.ts'
import { roleOf } from './role-book.ts'
import { RoleChanges } from './role-changes.ts'

type Needs = On<
  | 'config'
  | 'runtime'
  | 'store'
  | 'client'
  | 'brokerAddr'
  | 'progress'
  | 'book'
  | 'reopen'
  | 'isReopening'
  | 'election'
  | 'furniture'
> & {
  following: Following | undefined
  nameServers: () => readonly string[]
  registerAgain: () => void
}

/** Which broker of a name is the master, and how that changes while they run. */
export const role: Feature<Needs> = {
  name: 'role',
  make: needs => {
    const { config, runtime, book, following } = needs
    const group = { ...needs, brokerName: config.brokerName }
    const changes = new RoleChanges({ ...needs, clock: runtime.clock, peers: () => allPeersOf(group) })
    const watch = new RivalWatch({ ...needs, ...runtime, peers: () => peersOf(group) })
    return {
      routes: roleRoutes(changes),
      around: following === undefined ? [watch] : [],
      tables: [{ start: () => began(needs) }],
      tells: () => {
        const copying = following?.copying()
        const follows = following?.living()
        return {
          [roleKeys.role]: config.brokerRole,
          [roleKeys.epoch]: String(book.epoch),
          ...(copying === undefined ? {} : { [roleKeys.copying]: copying }),
          ...(follows === undefined ? {} : { [roleKeys.follows]: follows }),
        }
      },
    }
  },
}

const roleRoutes = (changes: RoleChanges): Route[] => [
  route(promoteBroker, async header => {
    const outcome = await changes.promote(header)
    return 'epoch' in outcome ? ok({ ...outcome }) : outcome
  }),
  route(demoteBroker, async header => {
    const outcome = await changes.demote(header)
    return 'epoch' in outcome ? ok({ ...outcome }) : outcome
  }),
]

/** What a cut of the log has changed in the tables is written down before anything is added to the log. */
function began({ config, book, store, furniture }: Needs): void {
  if (store.tailCut !== undefined) {
    for (const table of furniture.tables) table.save?.()
    store.cutSettled()
  }
  book.begun(roleOf(config))
}
