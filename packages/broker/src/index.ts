export * from './broker.ts'
export * from './config/options.ts'
