export * from './timer-checkpoint.ts'
export { DamagedTimerLog, type RemovedTimers, TimerLog, TimerLogReader } from './timer-log.ts'
export * from './timer-unit.ts'
export * from './timer-wheel.ts'
