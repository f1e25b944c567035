import { counter, gauge, histogram } from './family.ts'

/** What RocketMQ has no name for. */
export const own = {
  connections: gauge('skua_connections', { help: 'connections of clients, both listeners' }),
  heldPulls: gauge('skua_held_pulls', { help: 'pulls that wait for a message' }),
  heldPops: gauge('skua_held_pops', { help: 'pops, and those who are to be told of messages, that wait for one' }),
  popCheckPoints: gauge('skua_pop_check_points', { help: 'pops with messages that nobody has acknowledged yet' }),
  popCheckPointBytes: gauge('skua_pop_check_point_bytes', {
    help: 'memory that they take; maxPopCheckPointBytes bounds it',
  }),
  loopLag: histogram('skua_event_loop_lag_milliseconds', {
    help: 'how late a timer ran, looked at 20 times a second: how long the loop was busy with something else',
  }),
  fsync: histogram('skua_fsync_milliseconds', { help: 'fdatasyncs of files of the commit log that succeeded' }),
  fsyncFailures: counter('skua_fsync_failures_total', { help: 'fdatasyncs of the commit log that failed' }),
  residentBytes: gauge('skua_process_resident_bytes', { help: 'memory of the process' }),
  heapBytes: gauge('skua_heap_bytes', { help: 'JavaScript heap in use' }),
  externalBytes: gauge('skua_external_bytes', { help: 'memory of buffers outside of it' }),
  cpuSeconds: counter('skua_process_cpu_seconds_total', { help: 'CPU time of the process, all threads' }),
  storeWritable: gauge('skua_store_writable', { help: '1 while messages are taken' }),
  storeHealth: gauge('skua_store_health', {
    labels: ['cause'],
    help: '1 for the gravest cause for which no message is taken; nothing while they are taken',
  }),
  logBytes: gauge('skua_commit_log_bytes', { help: 'bytes from the oldest to the end of the log' }),
  replicationSlaves: gauge('skua_replication_slaves', { help: 'slaves that are connected' }),
  replicationBehind: gauge('skua_replication_bytes_behind', {
    labels: ['slave'],
    help: 'bytes of the log that a connected slave has not confirmed',
  }),
  replicationKeepsUp: gauge('skua_replication_slave_keeps_up', {
    labels: ['slave'],
    help: '0 for one that confirms nothing, and that nobody waits for',
  }),
  replicationMaster: gauge('skua_replication_master_connected', {
    help: '1 while a slave is connected to its master; of slaves only',
  }),
  subscriptionsDiffer: gauge('skua_consumer_groups_differing', {
    help: 'groups in which members subscribe differently, so that messages get lost',
  }),
  seriesDropped: gauge('skua_metrics_dropped_series', {
    labels: ['family'],
    help: 'series of a name that this scrape leaves out: there are more than metricsOtelCardinalityLimit',
  }),
} as const
