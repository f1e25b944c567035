import { type DialectName, dialectNames } from '@skua-mq/protocol'

/** The `dialect` that SKUA_DIALECT asks for, to be spread into a configuration; without it nothing, which is the default. */
export function askedDialect(): { readonly dialect?: DialectName } {
  const asked = process.env['SKUA_DIALECT'] ?? ''
  if (asked === '') return {}
  const dialect = dialectNames.find(name => name === asked)
  if (dialect === undefined) throw new Error(`SKUA_DIALECT=${asked}: must be ${dialectNames.join(' or ')}`)
  return { dialect }
}
