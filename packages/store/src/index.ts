export * from './get.ts'
export * from './message-store.ts'
export * from './put.ts'
