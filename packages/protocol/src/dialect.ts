import { ResponseCode } from './response-code.ts'

/** One place where 4.9 and 5.x do different things. */
export interface Fork<T> {
  readonly v4: T
  readonly v5: T
  /** Protocol page and section. */
  readonly page: string
  /** Set where we take the 5.x form although we are a 4.9: only where the 4.9 form is silence, a hang or a lost message. */
  readonly why5?: string
}

const fork = <T>(v4: T, v5: NoInfer<T>, rest: { page: string; why5?: string }): Fork<T> => ({ v4, v5, ...rest })
const code = (v4: ResponseCode, v5: ResponseCode, page: string) => fork<ResponseCode>(v4, v5, { page })
const flag = (v4: boolean, page: string) => fork<boolean>(v4, !v4, { page })

const { systemError, invalidParameter, noPermission, systemBusy } = ResponseCode

/** All forks (architecture: one personality). A 5.x personality is the other column and not another code path. */
export const forks = {
  /** Send: topic blank, with illegal characters, or too long. */
  illegalTopicOnSend: code(systemError, invalidParameter, 'remoting.md 9.2'),
  /** Send: a topic that only the broker itself may write. */
  forbiddenTopicOnSend: code(systemError, noPermission, 'remoting.md 9.2'),
  queueIdOutOfRangeOnSend: code(systemError, invalidParameter, 'remoting.md 9.2'),
  /** Send: `[PC_SYNCHRONIZED]`. */
  pageCacheBusyOnAppend: code(systemError, systemBusy, 'remoting.md 9.2'),
  queueIdOutOfRangeOnPull: code(systemError, invalidParameter, 'remoting.md 10'),
  /** 17 and 215 with a bad or system topic. */
  illegalTopicOnTopicRequest: code(systemError, invalidParameter, 'admin.md 2'),
  aclRefusal: code(systemError, noPermission, 'admin.md 7.2'),
  /** A code without a handler at the name server is answered with 3. */
  nameServerAnswersUnknownCode: fork<boolean>(false, true, {
    page: 'remoting.md 8',
    why5: 'the 4.9 name server leaves the asker waiting for its timeout',
  }),
  /** 222 is recorded at the broker, so that it works with nobody online (default of `useServerSideResetOffset`). */
  serverSideResetOffset: fork<boolean>(false, true, {
    page: 'admin.md 3',
    why5: 'the 4.9 way resets nothing for a group with nobody online',
  }),
  /** The reply takes the header form of its request; 5.x answers in its own. */
  replyTakesFormOfRequest: flag(true, 'remoting.md 1'),
  /** The properties text ends with \u0002. */
  propertiesEndWithSeparator: flag(false, 'remoting.md 14.1'),
  /** The broker adds UNIQ_KEY to a message without one. */
  brokerAddsUniqueKey: flag(false, 'remoting.md 9.3'),
  /** A send reply names the unique id as transactionId. */
  sendReplyHasTransactionId: flag(false, 'remoting.md 9.2'),
  /** A %RETRY% send goes to the dead letters when reconsumeTimes equals the limit; 5.x: only beyond it. */
  retrySendAtLimitIsDead: flag(true, 'remoting.md 9.3'),
  /** A %RETRY% send goes to the dead letters while the group holds an unexpired queue lock. */
  retrySendOfLockedGroupIsDead: flag(false, 'remoting.md 9.3'),
  /** Longest group name that a client accepts, in characters. */
  maxGroupLength: fork<number>(255, 120, { page: 'remoting.md 9.4' }),
  /** 15 is checked against the known groups, topics and queues. */
  offsetCommitIsChecked: flag(false, 'remoting.md 11'),
  /** A heartbeat skips groups that do not exist and may not be created. */
  heartbeatSkipsUnknownGroups: flag(false, 'remoting.md 11'),
  /** Heartbeat replies carry IS_SUPPORT_HEART_BEAT_V2 and IS_SUB_CHANGE. */
  heartbeatV2: flag(false, 'remoting.md 11'),
  /** 37 is refused with 604 when an immunity time is over. */
  endTransactionAfterImmunityIsRefused: flag(false, 'remoting.md 12'),
  /** Default of `transactionCheckInterval`, in ms. */
  transactionCheckIntervalMs: fork<number>(60_000, 30_000, { page: 'remoting.md 12' }),
  /** How often the name server looks for silent brokers, in ms. */
  nameServerScanMs: fork<number>(10_000, 5_000, { page: 'remoting.md 8' }),
  /** A lone-topic registration before the first full one is refused with 1. */
  loneTopicRegistrationNeedsFullOne: flag(false, 'remoting.md 16'),
  /** Routes carry enableActingMaster and zoneName. */
  routeHasActingMaster: flag(false, 'remoting.md 8'),
  /** dataVersion carries stateVersion. */
  dataVersionHasStateVersion: flag(false, 'store.md 5.2'),
  /** Topic and group configurations carry attributes and the other members of 5.x. */
  configHasAttributes: flag(false, 'store.md 5.3'),
  /** Stored topics may be longer than 127 bytes (magic 0xDAA320AB). */
  longTopics: flag(false, 'remoting.md 14.4'),
  /** A consumer clears the compression bit of a message that it inflated. */
  inflatedMessageLosesFlag: flag(false, 'remoting.md 14.3'),
} as const satisfies Record<string, Fork<unknown>>

type Forks = typeof forks
export type Dialect = { readonly [K in keyof Forks]: Forks[K] extends Fork<infer T> ? T : never }

function column(choose: (row: Fork<unknown>) => unknown): Dialect {
  return Object.freeze(Object.fromEntries(Object.entries(forks).map(([name, row]) => [name, choose(row)]))) as Dialect
}

/** How Skua behaves: as 4.9.8, but for the rows with `why5`. */
export const dialect: Dialect = column(row => (row.why5 === undefined ? row.v4 : row.v5))
