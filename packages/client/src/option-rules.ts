import { didYouMean } from '@skua-mq/runtime'
import { ClientError } from './error.ts'
import type { ClientOptions } from './options.ts'

/** What an option may be. Bounds of numbers are checked where they are used. */
export type OptionRule = 'number' | 'boolean' | 'text' | 'function' | 'object' | 'any' | readonly string[]

/** A rule for each option: the compiler sees that none is missing. */
export type OptionRules<O> = Readonly<Record<keyof O & string, OptionRule>>

export const clientRules: OptionRules<ClientOptions> = {
  // Text or a list.
  namesrvAddr: 'any',
  namesrvEndpoint: 'text',
  namespace: 'text',
  namespaceV2: 'text',
  instanceName: 'text',
  unitName: 'text',
  clientIP: 'text',
  credentials: 'object',
  // True or an object.
  tls: 'any',
  pollNameServerInterval: 'number',
  heartbeatBrokerInterval: 'number',
  mqClientApiTimeout: 'number',
  connectTimeout: 'number',
  compressors: 'object',
  tracer: 'object',
  logger: 'any',
  runtime: 'object',
}

/** Refuses options that nobody knows, and values of another kind: types are checked by compilers only where there is one. Throws ClientError ARGUMENT. */
export function checkOptions(what: string, options: object, rules: Readonly<Record<string, OptionRule>>): void {
  if (typeof options !== 'object' || options === null) throw refused(`${what} takes an object of options`)
  for (const [name, value] of Object.entries(options)) {
    const rule = rules[name]
    if (rule === undefined) throw refused(`${what} has no option ${name}${meant(name, Object.keys(rules))}`)
    if (value !== undefined) checkValue(name, value, rule)
  }
}

function checkValue(name: string, value: unknown, rule: OptionRule): void {
  if (rule === 'any') return
  if (typeof rule !== 'string') {
    if (rule.includes(value as string)) return
    throw refused(`${name} must be one of ${rule.join(', ')}: ${shown(value)} was given${meant(String(value), rule)}`)
  }
  const expected = rule === 'text' ? 'string' : rule
  if (typeof value === expected && value !== null) return
  throw refused(`${name} must be ${nouns[rule]}: ${shown(value)} was given`)
}

const nouns = {
  number: 'a number',
  boolean: 'true or false',
  text: 'a text',
  function: 'a function',
  object: 'an object',
} as const

/** What other clients call it. */
const elsewhere: Readonly<Record<string, string>> = {
  tags: 'tag',
  key: 'keys',
  headers: 'properties',
  delay: 'delayMs',
  timeout: 'timeoutMs',
  retries: 'retryTimesWhenSendFailed',
  concurrency: 'consumeThreadMax',
  fromBeginning: 'consumeFromWhere',
  brokers: 'namesrvAddr',
  queues: 'queueNum',
}

const meant = (given: string, known: readonly string[]): string => {
  const translated = elsewhere[given]
  return translated !== undefined && known.includes(translated)
    ? `; did you mean ${translated}?`
    : didYouMean(given, known)
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? `"${value}"` : `${typeof value} ${String(value)}`

const refused = (message: string): ClientError => new ClientError('ARGUMENT', message)
