import type { RequestSpec } from './request.ts'
import * as acl from './requests/acl.ts'
import * as config from './requests/config.ts'
import * as connection from './requests/connection.ts'
import * as consumerControl from './requests/consumer-control.ts'
import * as filterServer from './requests/filter-server.ts'
import * as group from './requests/group.ts'
import * as kvConfig from './requests/kv-config.ts'
import * as lock from './requests/lock.ts'
import * as offset from './requests/offset.ts'
import * as pop from './requests/pop.ts'
import * as pull from './requests/pull.ts'
import * as query from './requests/query.ts'
import * as registration from './requests/registration.ts'
import * as route from './requests/route.ts'
import * as send from './requests/send.ts'
import * as skua from './requests/skua.ts'
import * as stats from './requests/stats.ts'
import * as subscriptionGroup from './requests/subscription-group.ts'
import * as timer from './requests/timer.ts'
import * as topic from './requests/topic.ts'
import * as transaction from './requests/transaction.ts'

const subjects: readonly Readonly<Record<string, unknown>>[] = [
  send,
  pull,
  pop,
  query,
  offset,
  group,
  lock,
  transaction,
  consumerControl,
  route,
  registration,
  kvConfig,
  timer,
  topic,
  subscriptionGroup,
  connection,
  stats,
  config,
  acl,
  filterServer,
  skua,
]

const isRequest = (value: unknown): value is RequestSpec =>
  typeof value === 'object' && value !== null && 'code' in value && 'header' in value && 'direction' in value

/** Every request that we know, by number. */
export const allRequests: readonly RequestSpec[] = subjects
  .flatMap(subject => Object.values(subject))
  .filter(isRequest)
  .sort((a, b) => a.code - b.code)

const byCode = new Map(allRequests.map(request => [request.code, request]))

/** Undefined for a number that has no request here: it is answered with code 3. */
export const requestByCode = (code: number): RequestSpec | undefined => byCode.get(code)

export interface OtherCode {
  readonly code: number
  readonly name: string
  /** 'retired': dead, its number must not be given to anything else. 'only 5.x': lives there, not here (yet). */
  readonly state: 'retired' | 'only 5.x'
}

const retired = (code: number, name: string): OtherCode => ({ code, name, state: 'retired' })
const only5 = (code: number, name: string): OtherCode => ({ code, name, state: 'only 5.x' })

/** Numbers of remoting.md 7 and admin.md 6 and 8 without a request here. All of them are answered with code 3. */
export const otherCodes: readonly OtherCode[] = [
  retired(13, 'QUERY_BROKER_OFFSET'),
  only5(18, 'UPDATE_AND_CREATE_TOPIC_LIST'),
  retired(22, 'GET_TOPIC_CONFIG_LIST'),
  retired(23, 'GET_TOPIC_NAME_LIST'),
  retired(27, 'TRIGGER_DELETE_FILES'),
  retired(47, 'GET_CLIENT_CONFIG'),
  retired(54, 'GET_BROKER_CLUSTER_ACL_CONFIG'),
  retired(209, 'SUSPEND_CONSUMER'),
  retired(210, 'RESUME_CONSUMER'),
  retired(211, 'RESET_CONSUMER_OFFSET_IN_CONSUMER'),
  retired(212, 'RESET_CONSUMER_OFFSET_IN_BROKER'),
  retired(213, 'ADJUST_CONSUMER_THREAD_POOL'),
  retired(214, 'WHO_CONSUME_THE_MESSAGE'),
  only5(225, 'UPDATE_AND_CREATE_SUBSCRIPTIONGROUP_LIST'),
  only5(353, 'UPDATE_AND_GET_GROUP_FORBIDDEN'),
  only5(354, 'CHECK_ROCKSDB_CQ_WRITE_PROGRESS'),
  only5(355, 'EXPORT_ROCKSDB_CONFIG_TO_JSON'),
  only5(513, 'UPDATE_AND_CREATE_STATIC_TOPIC'),
  only5(901, 'GET_BROKER_MEMBER_GROUP'),
  only5(902, 'ADD_BROKER'),
  only5(903, 'REMOVE_BROKER'),
  only5(904, 'BROKER_HEARTBEAT'),
  only5(905, 'NOTIFY_MIN_BROKER_ID_CHANGE'),
  only5(906, 'EXCHANGE_BROKER_HA_INFO'),
  only5(907, 'GET_BROKER_HA_STATUS'),
  only5(908, 'RESET_MASTER_FLUSH_OFFSET'),
  only5(1001, 'CONTROLLER_ALTER_SYNC_STATE_SET'),
  only5(1002, 'CONTROLLER_ELECT_MASTER'),
  only5(1003, 'CONTROLLER_REGISTER_BROKER'),
  only5(1004, 'CONTROLLER_GET_REPLICA_INFO'),
  only5(1005, 'CONTROLLER_GET_METADATA_INFO'),
  only5(1006, 'CONTROLLER_GET_SYNC_STATE_DATA'),
  only5(1007, 'GET_BROKER_EPOCH_CACHE'),
  only5(1008, 'NOTIFY_BROKER_ROLE_CHANGED'),
  only5(1009, 'UPDATE_CONTROLLER_CONFIG'),
  only5(1010, 'GET_CONTROLLER_CONFIG'),
  only5(1011, 'CLEAN_BROKER_DATA'),
  only5(1012, 'GET_NEXT_BROKER_ID'),
  only5(1013, 'APPLY_BROKER_ID'),
  only5(2004, 'SET_COMMITLOG_READ_MODE'),
  only5(3001, 'CREATE_USER'),
  only5(3002, 'UPDATE_USER'),
  only5(3003, 'DELETE_USER'),
  only5(3004, 'GET_USER'),
  only5(3005, 'LIST_USER'),
  only5(3006, 'CREATE_ACL'),
  only5(3007, 'UPDATE_ACL'),
  only5(3008, 'DELETE_ACL'),
  only5(3009, 'GET_ACL'),
  only5(3010, 'LIST_ACL'),
  only5(200056, 'POP_ROLLBACK'),
]

const otherByCode = new Map(otherCodes.map(other => [other.code, other]))

/** Java's constant name of any number of the index, for traces; undefined for what nobody knows. */
export const requestName = (code: number): string | undefined => byCode.get(code)?.name ?? otherByCode.get(code)?.name
