export * from './timer-checkpoint.ts'
export { type RemovedTimers, TimerLog, TimerLogReader } from './timer-log.ts'
export * from './timer-unit.ts'
export * from './timer-wheel.ts'
