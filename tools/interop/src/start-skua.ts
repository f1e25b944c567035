import { type Standalone, type StandaloneOptions, startStandalone } from 'skua'
import { askedDialect } from './asked-dialect.ts'

/** Skua for the suites of clients: in the dialect that SKUA_DIALECT names, where the suite names none. */
export const startSkua = (options: StandaloneOptions): Promise<Standalone> =>
  startStandalone({ ...options, config: { ...askedDialect(), ...options.config } })
