export * from './bloom.ts'
export * from './sql/index.ts'
export * from './tag.ts'
