import { bool, bytes, count, idle, millis } from '@skua-mq/runtime'

/** Messages with a time of delivery (store.md 7.2), under the names of RocketMQ 5.3. */
export const timerOptions = {
  timerWheelEnable: bool({
    default: true,
    help: 'keep messages with TIMER_DELAY_SEC, TIMER_DELAY_MS or TIMER_DELIVER_MS until their time; otherwise refuse them',
  }),
  timerPrecisionMs: millis({
    default: 1000,
    min: 100,
    max: 1000,
    help: 'length of a slot: 100, 200, 500 or 1000; must stay what the store was written with',
  }),
  timerMaxDelaySec: count({ default: 259_200, min: 1, live: true, help: 'longest time ahead, in seconds' }),
  timerRollWindowSlot: count({
    default: 172_800,
    min: 2,
    help: 'slots ahead after which a message is stored again, so that retention does not take it; never more than two thirds of fileReservedTime',
  }),
  timerCongestNumEachSlot: count({
    default: 2_147_483_647,
    min: 1,
    live: true,
    help: 'timers of one slot above which some, and above twice as many all, are refused',
  }),
  timerFlushIntervalMs: millis({ default: 1000, min: 10, help: 'between two writes of wheel, log and check point' }),
  mappedFileSizeTimerLog: bytes({ default: 104_857_600, min: 4096, help: 'size of a file of the timer log' }),
  timerStopEnqueue: bool({ default: false, live: true, help: 'take nothing from the timer topic into the wheel' }),
  timerStopDequeue: bool({ default: false, live: true, help: 'deliver nothing from the wheel' }),
  recallMessageEnable: bool({
    default: false,
    live: true,
    help: 'allow senders to recall messages with a time of delivery',
  }),
  timerGetMessageThreadNum: count({ default: 3, ...idle('one thread owns the log') }),
  timerPutMessageThreadNum: count({ default: 3, ...idle('one thread owns the log') }),
  timerEnableDisruptor: bool({ default: false, ...idle('one thread owns the log') }),
  timerInterceptDelayLevel: bool({ default: false, ...idle('delay levels have queues of their own') }),
  timerWarmEnable: bool({ default: false, ...idle('the next slot is always read ahead') }),
  timerSkipUnknownError: bool({ default: false, ...idle('nothing is skipped') }),
  timerEnableRetryUntilSuccess: bool({ default: false, ...idle('delivery is always tried until it succeeds') }),
  timerEnableCheckMetrics: bool({ default: true, ...idle('counts follow what is done') }),
} as const
