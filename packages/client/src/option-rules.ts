import { didYouMean } from '@skua-mq/runtime'
import { ClientError } from './error.ts'
import type { ClientOptions } from './options.ts'

/** What an option may be. Bounds of numbers are checked where they are used. */
export type OptionRule = 'number' | 'boolean' | 'text' | 'function' | 'object' | 'codec' | 'any' | readonly string[]

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

/**
 * Refuses options that nobody knows, and values of another kind: types are checked by compilers only where there is one. `elsewhere`: where
 * those belong that are known in another place. Throws ClientError ARGUMENT.
 */
export function checkOptions(
  what: string,
  options: object,
  rules: Readonly<Record<string, OptionRule>>,
  elsewhere: Readonly<Record<string, string>> = {},
): void {
  if (typeof options !== 'object' || options === null) throw refused(`${what} takes an object of options`)
  for (const [name, value] of Object.entries(options)) {
    const rule = Object.hasOwn(rules, name) ? rules[name] : undefined
    if (rule === undefined) {
      const place = Object.hasOwn(elsewhere, name) ? elsewhere[name] : undefined
      const hint = place === undefined ? meant(name, Object.keys(rules)) : `: ${place}`
      throw refused(`${what} has no option ${name}${hint}`)
    }
    if (value !== undefined) checkValue(name, value, rule)
  }
}

function checkValue(name: string, value: unknown, rule: OptionRule): void {
  if (rule === 'any') return
  if (rule === 'codec') {
    checkCodec(name, value)
    return
  }
  if (typeof rule !== 'string') {
    if (rule.includes(value as string)) return
    throw refused(`${name} must be one of ${rule.join(', ')}: ${shown(value)} was given${meant(String(value), rule)}`)
  }
  const expected = rule === 'text' ? 'string' : rule
  if (typeof value === expected && value !== null) return
  throw refused(`${name} must be ${nouns[rule]}: ${shown(value)} was given`)
}

/** A schema by itself is the usual mistake. */
function checkCodec(name: string, value: unknown): void {
  const { encode, decode } = (value ?? {}) as { encode?: unknown; decode?: unknown }
  if (typeof encode === 'function' && typeof decode === 'function' && !isSchema(value)) return
  const hint = isSchema(value) ? 'give a schema as jsonCodec(schema)' : 'jsonCodec() makes one'
  throw refused(`${name} must have encode and decode, for bytes: ${hint}`)
}

const nouns = {
  number: 'a number',
  boolean: 'true or false',
  text: 'a text',
  function: 'a function',
  object: 'an object',
} as const

/** Whether it is a Standard Schema, whose validator may be a function with members, too. */
export function isSchema(value: unknown): boolean {
  const standard = (value as { '~standard'?: { validate?: unknown } } | null | undefined)?.['~standard']
  return typeof standard?.validate === 'function'
}

/** What other clients call it: the first one that is known where it is given. */
const otherNames: Readonly<Record<string, readonly string[]>> = {
  tags: ['tag'],
  key: ['keys'],
  headers: ['properties'],
  delay: ['delayMs'],
  value: ['body'],
  data: ['body'],
  content: ['body'],
  payload: ['body'],
  timeout: ['timeoutMs', 'sendMsgTimeout'],
  retries: ['retryTimesWhenSendFailed', 'maxReconsumeTimes'],
  attempts: ['retryTimesWhenSendFailed', 'maxReconsumeTimes'],
  maxAttempts: ['retryTimesWhenSendFailed', 'maxReconsumeTimes'],
  maxRetries: ['retryTimesWhenSendFailed', 'maxReconsumeTimes'],
  concurrency: ['consumeThreadMax'],
  prefetch: ['pullThresholdForQueue'],
  fromBeginning: ['consumeFromWhere'],
  brokers: ['namesrvAddr'],
  bootstrapBrokers: ['namesrvAddr'],
  servers: ['namesrvAddr'],
  endpoints: ['namesrvAddr'],
  nameSrv: ['namesrvAddr'],
  nameServer: ['namesrvAddr'],
  producerGroup: ['group'],
  consumerGroup: ['group'],
  groupId: ['group'],
  accessKey: ['credentials'],
  accessKeyId: ['credentials'],
  accessKeySecret: ['credentials'],
  secretKey: ['credentials'],
  queues: ['queueNum'],
  partitions: ['queueNum'],
  numPartitions: ['queueNum'],
}

const meant = (given: string, known: readonly string[]): string => {
  const translated = Object.hasOwn(otherNames, given)
    ? otherNames[given]?.find(name => known.includes(name))
    : undefined
  return translated !== undefined ? `; did you mean ${translated}?` : didYouMean(given, known)
}

const shown = (value: unknown): string =>
  typeof value === 'string' ? `"${value}"` : `${typeof value} ${String(value)}`

const refused = (message: string): ClientError => new ClientError('ARGUMENT', message)
