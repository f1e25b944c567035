import { ResponseCode } from './response-code.ts'
import { skuaVersion } from './version.ts'

/** One place where 4.9 and 5.3 do different things, which a client, a tool or another server can tell. */
export interface Fork<T> {
  readonly v4: T
  readonly v5: T
  /** Protocol page and section. */
  readonly page: string
}

const fork = <T>(v4: T, v5: NoInfer<T>, page: string): Fork<T> => ({ v4, v5, page })
const code = (v4: ResponseCode, v5: ResponseCode, page: string) => fork<ResponseCode>(v4, v5, page)
/** What only 5.3 does, or only 4.9. */
const only5 = (page: string) => fork<boolean>(false, true, page)
const only4 = (page: string) => fork<boolean>(true, false, page)

const { success, systemError, invalidParameter, noPermission } = ResponseCode

/**
 * All forks (architecture: two dialects). Both columns were asked of real servers, 4.9.7 and 5.3.3. `skua/test/dialect`
 * tries each row at a running server in both columns.
 */
export const forks = {
  /** The version that answers and requests carry, and that 28 tells: 4.9.8, 5.3.3. */
  version: fork<number>(skuaVersion, 479, 'remoting.md 3.2'),
  /** The reply takes the header form of its request; 5.3 answers in JSON. */
  replyTakesFormOfRequest: only4('remoting.md 1'),

  /** Send: topic blank, with illegal characters, or too long. */
  illegalTopicOnSend: code(systemError, invalidParameter, 'remoting.md 9.2'),
  queueIdOutOfRangeOnSend: code(systemError, invalidParameter, 'remoting.md 9.2'),
  queueIdOutOfRangeOnPull: code(systemError, invalidParameter, 'remoting.md 10'),
  /** 17 with a topic that is none or the system's, 215 with one of the system's. */
  illegalTopicOnTopicRequest: code(systemError, invalidParameter, 'admin.md 2'),
  /** 215 with a topic whose name is none: there is nothing to be deleted. */
  illegalTopicOnDelete: code(systemError, success, 'admin.md 2'),
  aclRefusal: code(systemError, noPermission, 'admin.md 7.2'),

  /** The properties text of stored messages ends with \u0002. */
  propertiesEndWithSeparator: only5('remoting.md 14.1'),
  /** Stored messages have MSG_REGION and TRACE_ON: a 5.x Java consumer records no trace without them. */
  storesRegion: only5('store.md 13'),
  /** WAIT stays in the properties of a stored message. */
  storesWait: only5('store.md 2.4'),
  /** The broker adds UNIQ_KEY to a single message without one. */
  brokerAddsUniqueKey: only5('remoting.md 9.3'),
  /** A send reply names the unique id as transactionId. */
  sendReplyHasTransactionId: only5('remoting.md 9.2'),
  /** A half message has its unique id as __transactionId__. */
  halfHasTransactionId: only5('remoting.md 12'),
  /** 37 is refused with 604 when an immunity time is over, unless it answers a check. */
  endTransactionAfterImmunityIsRefused: only5('remoting.md 12'),
  /** 39 names the topic of the message. */
  checkNamesTopic: only5('remoting.md 12'),
  /** Default of `transactionCheckInterval`, in ms. */
  transactionCheckIntervalMs: fork<number>(60_000, 30_000, 'remoting.md 12'),

  /** A %RETRY% send goes to the dead letters when reconsumeTimes equals the limit; 5.3: only beyond it. */
  retrySendAtLimitIsDead: only4('remoting.md 9.3'),
  /** A %RETRY% send goes to the dead letters while the group holds an unexpired queue lock. */
  retrySendOfLockedGroupIsDead: only5('remoting.md 9.3'),
  /** 15 is refused for a group (26) or a topic (17) that is not there. */
  offsetCommitIsChecked: only5('remoting.md 11'),
  /** A heartbeat skips groups that do not exist and may not be created. */
  heartbeatSkipsUnknownGroups: only5('remoting.md 11'),
  /** Short heartbeats: replies carry IS_SUPPORT_HEART_BEAT_V2 and IS_SUB_CHANGE. */
  heartbeatV2: only5('remoting.md 11'),
  /** Replies to pulls carry topicSysFlag and groupSysFlag. */
  pullReplyHasSysFlags: only5('remoting.md 10'),

  /** dataVersion carries stateVersion. */
  dataVersionHasStateVersion: only5('store.md 5.2'),
  /** Topic and group configurations have attributes and the other members of 5.x, set or not. */
  configHasAttributes: only5('store.md 5.3'),
  /** Offsets of groups and of delay levels (43, 45) have a dataVersion. */
  offsetsHaveVersion: only5('remoting.md 16'),

  /** How often the name server looks for silent brokers, in ms. */
  nameServerScanMs: fork<number>(10_000, 5000, 'remoting.md 8'),
  /** A registration of one topic alone, before one of more, is refused with 1. */
  loneTopicRegistrationNeedsFullOne: only5('remoting.md 16'),
  /** Routes and the cluster's brokers carry enableActingMaster for everybody; 4.9: in routes, for clients of 5.x. */
  routeHasActingMaster: only5('remoting.md 8'),
} as const satisfies Record<string, Fork<unknown>>

/** In which way a server speaks: the option `dialect`. */
export const dialectNames = ['4.9', '5.3'] as const
export type DialectName = (typeof dialectNames)[number]

type Forks = typeof forks
/** One column of the table. */
export type Dialect = { readonly name: DialectName } & {
  readonly [K in keyof Forks]: Forks[K] extends Fork<infer T> ? T : never
}

function column(name: DialectName, choose: (row: Fork<unknown>) => unknown): Dialect {
  const rows = Object.entries(forks).map(([fork, row]) => [fork, choose(row)])
  return Object.freeze({ name, ...Object.fromEntries(rows) }) as Dialect
}

const columns: Readonly<Record<DialectName, Dialect>> = {
  '4.9': column('4.9', row => row.v4),
  '5.3': column('5.3', row => row.v5),
}

/** Of a server whose configuration names none (architecture: two dialects). */
export const defaultDialect: DialectName = '5.3'

/** The column of a name; default 4.9, of parts that are made alone. Throws RangeError for another name. */
export function dialectOf(name: DialectName = '4.9'): Dialect {
  const found = columns[name]
  if (found === undefined) throw new RangeError(`there is no dialect ${name}: ${dialectNames.join(' or ')}`)
  return found
}
