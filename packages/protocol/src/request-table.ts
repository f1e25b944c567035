import type { RequestSpec } from './request.ts'
import * as acl from './requests/acl.ts'
import * as config from './requests/config.ts'
import * as connection from './requests/connection.ts'
import * as consumerControl from './requests/consumer-control.ts'
import * as filterServer from './requests/filter-server.ts'
import * as group from './requests/group.ts'
import * as ha from './requests/ha.ts'
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
  ha,
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
  /** Why there is no request: the remark of the refusal, for whoever reads what a tool prints. */
  readonly why: string
}

const others = (why: string, ...named: readonly (readonly [code: number, name: string])[]): OtherCode[] =>
  named.map(([code, name]) => ({ code, name, why }))

/** Numbers of remoting.md 7 and admin.md 6 and 8 without a request here. All of them are answered with code 3. */
export const otherCodes: readonly OtherCode[] = [
  // Dead: their numbers must not be given to anything else.
  ...others(
    'no version of RocketMQ in use has it',
    [13, 'QUERY_BROKER_OFFSET'],
    [22, 'GET_TOPIC_CONFIG_LIST'],
    [23, 'GET_TOPIC_NAME_LIST'],
    [27, 'TRIGGER_DELETE_FILES'],
    [47, 'GET_CLIENT_CONFIG'],
    [54, 'GET_BROKER_CLUSTER_ACL_CONFIG'],
    [209, 'SUSPEND_CONSUMER'],
    [210, 'RESUME_CONSUMER'],
    [211, 'RESET_CONSUMER_OFFSET_IN_CONSUMER'],
    [212, 'RESET_CONSUMER_OFFSET_IN_BROKER'],
    [213, 'ADJUST_CONSUMER_THREAD_POOL'],
    [214, 'WHO_CONSUME_THE_MESSAGE'],
  ),
  ...others('no topic is forbidden to a group: access control says who may read what', [
    353,
    'UPDATE_AND_GET_GROUP_FORBIDDEN',
  ]),
  ...others(
    'there is no RocksDB: queues are files, and tables are JSON files',
    [354, 'CHECK_ROCKSDB_CQ_WRITE_PROGRESS'],
    [355, 'EXPORT_ROCKSDB_CONFIG_TO_JSON'],
  ),
  ...others('there are no static topics: the queues of a topic are those of its brokers', [
    513,
    'UPDATE_AND_CREATE_STATIC_TOPIC',
  ]),
  ...others(
    'no slave acts as a master: one that is to be the master is promoted',
    [901, 'GET_BROKER_MEMBER_GROUP'],
    [904, 'BROKER_HEARTBEAT'],
    [905, 'NOTIFY_MIN_BROKER_ID_CHANGE'],
    [906, 'EXCHANGE_BROKER_HA_INFO'],
    [908, 'RESET_MASTER_FLUSH_OFFSET'],
  ),
  ...others('this is no container of brokers: each is started by itself', [902, 'ADD_BROKER'], [903, 'REMOVE_BROKER']),
  ...others(
    'there is no controller: a slave is made the master by promoting it',
    [1001, 'CONTROLLER_ALTER_SYNC_STATE_SET'],
    [1002, 'CONTROLLER_ELECT_MASTER'],
    [1003, 'CONTROLLER_REGISTER_BROKER'],
    [1004, 'CONTROLLER_GET_REPLICA_INFO'],
    [1005, 'CONTROLLER_GET_METADATA_INFO'],
    [1006, 'CONTROLLER_GET_SYNC_STATE_DATA'],
    [1007, 'GET_BROKER_EPOCH_CACHE'],
    [1008, 'NOTIFY_BROKER_ROLE_CHANGED'],
    [1009, 'UPDATE_CONTROLLER_CONFIG'],
    [1010, 'GET_CONTROLLER_CONFIG'],
    [1011, 'CLEAN_BROKER_DATA'],
    [1012, 'GET_NEXT_BROKER_ID'],
    [1013, 'APPLY_BROKER_ID'],
  ),
  ...others(
    'cold data has no flow control: old messages are read beside the others, within the bounds of a connection',
    [2001, 'UPDATE_COLD_DATA_FLOW_CTR_CONFIG'],
    [2002, 'REMOVE_COLD_DATA_FLOW_CTR_CONFIG'],
    [2003, 'GET_COLD_DATA_FLOW_CTR_INFO'],
  ),
  ...others('the log is not mapped into memory: how far ahead it is read is not to be set', [
    2004,
    'SET_COMMITLOG_READ_MODE',
  ]),
  ...others(
    'access control is that of 4.9, with aclEnable: accounts are those of plain_acl.yml (updateAclConfig, deleteAclConfig)',
    [3001, 'CREATE_USER'],
    [3002, 'UPDATE_USER'],
    [3003, 'DELETE_USER'],
    [3004, 'GET_USER'],
    [3005, 'LIST_USER'],
    [3006, 'CREATE_ACL'],
    [3007, 'UPDATE_ACL'],
    [3008, 'DELETE_ACL'],
    [3009, 'GET_ACL'],
    [3010, 'LIST_ACL'],
  ),
  ...others('check points of pops lie in the log: there are none in RocksDB that could be moved out of it', [
    200056,
    'POP_ROLLBACK',
  ]),
]

const otherByCode = new Map(otherCodes.map(other => [other.code, other]))

/** Java's constant name of any number of the index, for traces; undefined for what nobody knows. */
export const requestName = (code: number): string | undefined => byCode.get(code)?.name ?? otherByCode.get(code)?.name

/** The remark of a refusal with code 3: what was asked for, and why it is not here. */
export function notSupported(code: number): string {
  const other = otherByCode.get(code)
  if (other !== undefined) return `request code ${code} (${other.name}) is not supported: ${other.why}`
  const known = byCode.get(code)
  return known === undefined
    ? `request code ${code} is not supported`
    : `request code ${code} (${known.name}) is not supported here: it goes from ${known.direction}`
}
