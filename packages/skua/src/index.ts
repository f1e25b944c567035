export { type FreePorts, freePorts } from '@skua-mq/broker'
export * from './standalone.ts'
