import { accessControl } from './acl/feature.ts'
import { assignments } from './assignment/feature.ts'
import { cleanup } from './cleanup/feature.ts'
import { clients } from './client-table/feature.ts'
import { configuration } from './config/feature.ts'
import { consumerControl } from './consumer-control/feature.ts'
import { delays } from './delay/feature.ts'
import { election } from './election/feature.ts'
import { filters } from './filter/feature.ts'
import { filterServers } from './filter-server/feature.ts'
import { groups } from './group/feature.ts'
import { replication } from './ha/feature.ts'
import type { Ground } from './house/ground.ts'
import { House } from './house/house.ts'
import { clientLimits } from './limits/feature.ts'
import { locks } from './lock/feature.ts'
import { metrics } from './metrics/feature.ts'
import { offsets } from './offset/feature.ts'
import { offsetHistory } from './offset-history/feature.ts'
import { pops } from './pop/feature.ts'
import { pulls } from './pull/feature.ts'
import { queries } from './query/feature.ts'
import { registration } from './registration/feature.ts'
import { requestReply } from './request-reply/feature.ts'
import { retries } from './retry/feature.ts'
import { role } from './role/feature.ts'
import { sends } from './send/feature.ts'
import { slowRequests } from './slow/feature.ts'
import { stats } from './stats/feature.ts'
import { timedSends } from './timed-send/feature.ts'
import { timers } from './timer/feature.ts'
import { topics } from './topic/feature.ts'
import { transactions } from './transaction/feature.ts'

/**
 * All that a broker does, in the order in which it is made and begins; each finds what it needs in those before it. Steps
 * change a message in this order: a retry is found to be a dead letter before it is delayed.
 */
export const furnish = (ground: Ground) =>
  new House(ground)
    .with(clientLimits)
    .with(slowRequests)
    .with(accessControl)
    .with(topics)
    .with(cleanup)
    .with(groups)
    .with(clients)
    .with(offsetHistory)
    .with(offsets)
    .with(locks)
    .with(filters)
    .with(filterServers)
    .with(stats)
    .with(pulls)
    .with(pops)
    .with(registration)
    .with(assignments)
    .with(timers)
    .with(retries)
    .with(transactions)
    .with(delays)
    .with(timedSends)
    .with(requestReply)
    .with(queries)
    .with(consumerControl)
    .with(configuration)
    .with(sends)
    .with(replication)
    .with(role)
    .with(election)
    .with(metrics)

/** What the features share. */
export type Furnished = ReturnType<typeof furnish>['context']
