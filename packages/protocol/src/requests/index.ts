export * from './pull.ts'
export * from './send.ts'
