export { SqlSyntaxError } from './error.ts'
export { maxSqlDepth, maxSqlLength } from './parser.ts'
export type { PropertyLookup, PropertySource, SqlText } from './source.ts'
export { compileSql, type SqlFilter } from './sql.ts'
