import { counter, gauge, histogram } from './family.ts'

const messagesIn = ['is_system', 'message_type', 'topic']
const messagesOut = ['consumer_group', 'is_system', 'topic']
const group = ['consumer_group', 'is_retry', 'is_system', 'topic']
const storage = ['storage_medium', 'storage_type']

/** Names, labels and meaning of RocketMQ 5.3.3, as a scrape of it has them. */
export const rocketmq = {
  messagesIn: counter('rocketmq_messages_in_total', {
    labels: messagesIn,
    help: 'messages that were stored for senders, by the topic in which they were stored',
  }),
  throughputIn: counter('rocketmq_throughput_in_total', {
    labels: messagesIn,
    help: 'their bytes as they lie in the log',
  }),
  messageSize: histogram('rocketmq_message_size', {
    labels: messagesIn,
    help: 'bytes of a message as it lies in the log; a batch counts once, by the mean of its messages',
  }),
  messagesOut: counter('rocketmq_messages_out_total', {
    labels: messagesOut,
    help: 'messages that were handed to consumers; SCHEDULE_CONSUMER: delayed ones that were delivered',
  }),
  throughputOut: counter('rocketmq_throughput_out_total', { labels: messagesOut, help: 'their bytes' }),
  sendToDlq: counter('rocketmq_send_to_dlq_messages_total', {
    labels: messagesOut,
    help: 'messages that became dead letters',
  }),
  commitMessages: counter('rocketmq_commit_messages_total', {
    labels: ['topic'],
    help: 'transactional messages that were committed',
  }),
  rollbackMessages: counter('rocketmq_rollback_messages_total', {
    labels: ['topic'],
    help: 'transactional messages that were rolled back',
  }),
  finishMessageLatency: histogram('rocketmq_finish_message_latency_milliseconds', {
    labels: ['topic'],
    help: 'from the birth of a transactional message to its commit, in whole seconds whatever the name says, as in RocketMQ',
  }),
  halfMessages: gauge('rocketmq_half_messages', {
    labels: ['topic'],
    help: 'transactional messages that wait for their verdict',
  }),
  rpcLatency: histogram('rocketmq_rpc_latency_milliseconds', {
    labels: ['is_long_polling', 'protocol_type', 'request_code', 'response_code', 'result'],
    help: 'from the whole request to its answer, which the next write of the turn takes along',
  }),
  topicCreateTime: histogram('rocketmq_topic_create_execution_time_milliseconds', {
    labels: ['invocation_status', 'is_system'],
    help: 'how long it took to make or change a topic, with its save and its announcement',
  }),
  groupCreateTime: histogram('rocketmq_consumer_group_create_execution_time_milliseconds', {
    labels: ['invocation_status'],
    help: 'how long it took to make or change a consumer group, with its save',
  }),
  producerConnections: gauge('rocketmq_producer_connections', {
    labels: ['language', 'protocol_type', 'version'],
    help: 'connected producers, once for each of their groups',
  }),
  consumerConnections: gauge('rocketmq_consumer_connections', {
    labels: ['consume_mode', 'consumer_group', 'is_system', 'language', 'protocol_type', 'version'],
    help: 'connected consumers',
  }),
  lagMessages: gauge('rocketmq_consumer_lag_messages', {
    labels: group,
    help: 'messages that a group has not consumed',
  }),
  lagLatency: gauge('rocketmq_consumer_lag_latency_milliseconds', {
    labels: group,
    help: 'age of the oldest of them; 0 where there is none',
  }),
  inflightMessages: gauge('rocketmq_consumer_inflight_messages', {
    labels: group,
    help: 'messages that were handed out and are not consumed',
  }),
  queueingLatency: gauge('rocketmq_consumer_queueing_latency_milliseconds', {
    labels: group,
    help: 'age of the oldest message that was not handed out; 0 where there is none',
  }),
  readyMessages: gauge('rocketmq_consumer_ready_messages', {
    labels: group,
    help: 'messages that were not handed out',
  }),
  processorWatermark: gauge('rocketmq_processor_watermark', {
    labels: ['processor'],
    help: 'requests that wait for a thread: always 0, there are no thread pools',
  }),
  brokerPermission: gauge('rocketmq_broker_permission', { help: 'brokerPermission: 4 read, 2 write' }),
  topicNumber: gauge('rocketmq_topic_number', { help: 'topics, the system’s included' }),
  groupNumber: gauge('rocketmq_consumer_group_number', { help: 'consumer groups, the system’s included' }),
  storageSize: gauge('rocketmq_storage_size_bytes', {
    labels: storage,
    help: 'bytes in use on the file system of the store, whoever uses them',
  }),
  flushBehind: gauge('rocketmq_storage_flush_behind_bytes', {
    labels: storage,
    help: 'bytes of the log that are written and not synced',
  }),
  dispatchBehind: gauge('rocketmq_storage_dispatch_behind_bytes', {
    labels: storage,
    help: 'bytes of the log that no queue knows of',
  }),
  timerEnqueueLag: gauge('rocketmq_timer_enqueue_lag', {
    labels: storage,
    help: 'messages with a time of delivery that are not in the wheel yet',
  }),
  timerEnqueueLatency: gauge('rocketmq_timer_enqueue_latency_milliseconds', {
    labels: storage,
    help: 'how long ago the last one was stored that came into the wheel, while there are some that have not',
  }),
  timerDequeueLag: gauge('rocketmq_timer_dequeue_lag', {
    labels: storage,
    help: 'messages that wait in the wheel for their time',
  }),
  timerDequeueLatency: gauge('rocketmq_timer_dequeue_latency_milliseconds', {
    labels: storage,
    help: 'how long the slot is over which is being delivered',
  }),
  timerEnqueued: counter('rocketmq_timer_enqueue_total', {
    labels: [...storage, 'topic'],
    help: 'messages that came into the wheel, by the topic where they go',
  }),
  timerDequeued: counter('rocketmq_timer_dequeue_total', {
    labels: [...storage, 'topic'],
    help: 'messages that left the wheel, by the topic where they go',
  }),
  timerSnapshot: gauge('rocketmq_timer_message_snapshot', {
    labels: [...storage, 'timer_bound_s'],
    help: 'messages that are due within so many seconds, and not within the next smaller bound',
  }),
  messageReserveTime: gauge('rocketmq_storage_message_reserve_time_milliseconds', {
    labels: storage,
    help: 'age of the oldest message of the log; left out without one',
  }),
} as const
