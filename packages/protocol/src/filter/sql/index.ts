export type { PropertyLookup } from './compile.ts'
export { SqlSyntaxError } from './error.ts'
export { maxSqlDepth, maxSqlLength } from './parser.ts'
export { compileSql, type SqlFilter } from './sql.ts'
