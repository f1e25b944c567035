import type { AnyEndpoint } from './endpoint.ts'
import * as brokers from './endpoints/brokers.ts'
import * as deadLetters from './endpoints/dead-letters.ts'
import * as exports from './endpoints/export.ts'
import * as groups from './endpoints/groups.ts'
import * as live from './endpoints/live.ts'
import * as messages from './endpoints/messages.ts'
import * as offsets from './endpoints/offsets.ts'
import * as overview from './endpoints/overview.ts'
import * as topics from './endpoints/topics.ts'
import * as waiting from './endpoints/waiting.ts'

/** Each file exports its endpoints, and little else: what has a name and a method is one. */
const all: readonly object[] = [
  overview,
  topics,
  groups,
  offsets,
  messages,
  exports,
  deadLetters,
  live,
  waiting,
  brokers,
].flatMap(file =>
  Object.values<unknown>(file).filter(one => typeof one === 'object' && one !== null && 'method' in one),
) as object[]

/** The JSON API: whatever is asked of the dashboard, once. */
export const endpoints: readonly AnyEndpoint[] = all as AnyEndpoint[]
