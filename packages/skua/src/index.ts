export * from './ports.ts'
export * from './standalone.ts'
