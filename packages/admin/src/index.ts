export * from './acl.ts'
export * from './broker.ts'
export {
  brokersAt,
  type ClusterBroker,
  clusterBrokers,
  masterNamed,
  mastersAt,
  type Where,
} from './cluster.ts'
export * from './consumer/connection.ts'
export * from './consumer/progress.ts'
export * from './consumer/running.ts'
export { each } from './each.ts'
export { AdminError, type AdminErrorCode } from './error.ts'
export * from './group.ts'
export * from './kv.ts'
export * from './members.ts'
export * from './message/find.ts'
export type { FoundMessage } from './message/message.ts'
export * from './message/pull.ts'
export * from './message/send.ts'
export * from './message/trace.ts'
export * from './message/track.ts'
export * from './name-server.ts'
export * from './offset.ts'
export * from './offset-history.ts'
export type { Settings } from './properties.ts'
export type { QueueProgress } from './queue-progress.ts'
export * from './roles.ts'
export { type AdminCall, type AdminOptions, AdminSession, connect, type PlannedChange } from './session.ts'
export * from './timer.ts'
export * from './topic/config.ts'
export * from './topic/order.ts'
export * from './topic/route.ts'
export * from './topic/stats.ts'
