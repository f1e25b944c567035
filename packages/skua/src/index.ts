export { type FreePorts, freePorts, type TopicPlan, type TopicType } from '@skua-mq/broker'
export * from './standalone.ts'
