import { dialectNames } from '@skua-mq/protocol'
import { type Standalone, type StandaloneOptions, startStandalone } from 'skua'

/** Skua for the suites of clients: in the dialect that SKUA_DIALECT names, where the suite names none (default 4.9). */
export function startSkua(options: StandaloneOptions): Promise<Standalone> {
  const asked = process.env['SKUA_DIALECT'] ?? ''
  const dialect = dialectNames.find(name => name === asked)
  if (asked !== '' && dialect === undefined)
    throw new Error(`SKUA_DIALECT=${asked}: must be ${dialectNames.join(' or ')}`)
  return startStandalone(dialect === undefined ? options : { ...options, config: { dialect, ...options.config } })
}
