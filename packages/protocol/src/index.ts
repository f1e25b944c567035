export * from './command.ts'
export * from './field.ts'
export * from './request.ts'
export * from './response-code.ts'
