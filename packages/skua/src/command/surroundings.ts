/** What the environment says; RocketMQ's own names. */
export interface Surroundings {
  readonly namesrvAddr: string | undefined
  readonly home: string
  /** ROCKETMQ_HOME. */
  readonly rocketmqHome: string | undefined
}
