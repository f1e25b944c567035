export * from './connection.ts'
export * from './reply.ts'
export * from './route.ts'
