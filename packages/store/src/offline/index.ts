export { type OffsetFile, type QueueDirectory, readStoreDirectory, type StoreDirectory } from './directory.ts'
export { messageJson, type RecordFilter, storedMessages } from './messages.ts'
export { type Finding, verifyStore } from './verify.ts'
