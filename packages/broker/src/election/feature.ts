import { part } from '@skua-mq/runtime'
import type { Following } from '../ha/feature.ts'
import { roleKeys } from '../ha/master-info.ts'
import type { Feature } from '../house/feature.ts'
import type { On } from '../house/ground.ts'
import { roleOf } from '../role/role-book.ts'
import type { ElectionSide } from './election.ts'

type Needs = On<'config' | 'store' | 'progress' | 'reopen' | 'election'> & { following: Following | undefined }

/** Brokers of one name that choose their master themselves (failoverEndpoints). */
export const election: Feature<Needs> = {
  name: 'election',
  make: ({ config, store, progress, reopen, election, following }) => {
    if (election === undefined) return {}
    const side: ElectionSide = {
      ...{ role: roleOf(config), progress, reopen },
      logEnd: () => store.maxPhysicalOffset,
      fallBehindMax: () => config.haSlaveFallbehindMax,
      hold: remark => store.holdAppends(remark),
      beforeAppends: run => store.beforeAppends(run),
      haFrom: () => following?.connectedFrom(),
      follow: master => following?.follow(master),
      onNews: run => following?.onNews(run),
      ensureTopics: async () => following?.ensureTopics(),
    }
    return {
      services: [part('election', { start: () => election.attach(side), stop: () => election.detach(side) })],
      tells: () => (election.text === undefined ? {} : { [roleKeys.election]: election.text }),
    }
  },
}
