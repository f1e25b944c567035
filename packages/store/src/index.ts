export type { Replicas } from './append/answers.ts'
export { defaultStoreConfig, type StoreConfig, storeConfig } from './config.ts'
export type { ExtUnit } from './consume-queue/ext-unit.ts'
export type { MessageBitmaps } from './dispatch.ts'
export type { StoreFigures } from './figures.ts'
export { type Layout, layoutOf } from './file/layout.ts'
export { queuesLeftUnsynced } from './flush/dispatch-flush.ts'
export { syncFailed } from './flush/suspicion.ts'
export * from './get.ts'
export { type Cause, storeRefuses, storeTakes } from './health.ts'
export { indexFileDiscarded } from './index-file/index-files.ts'
export * from './message-store.ts'
export * from './offline/index.ts'
export { storeOptions } from './options.ts'
export * from './put.ts'
export type { LogLandmarks, RecordPlace } from './read/landmarks.ts'
export { mayLackPages } from './recovery/power-cut.ts'
export {
  logDamaged,
  logTruncated,
  queuesRebuilt,
  recoveryBegan,
  recoveryEnded,
  recoveryProgress,
} from './recovery/recovery.ts'
export { orderTailCut, readTailCut, type TailCut, tailSetAside } from './recovery/tail-cut.ts'
export { retentionFailed, segmentsDeleted, segmentsHeld } from './retention/retention.ts'
export { DelayQueue, type SpecialQueue } from './special-queue.ts'
export { Store } from './store.ts'
export type { StoreNeeds } from './store-needs.ts'
export * from './timer/index.ts'
