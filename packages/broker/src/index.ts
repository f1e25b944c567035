export * from './broker.ts'
export * from './config/options.ts'
export type { FilterProcess, FilterProcessPlan, StartFilterProcess } from './filter-server/filter-processes.ts'
export { specialQueues } from './special-queues.ts'
