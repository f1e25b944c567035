/** What OpenAPI is told of a value. */
export type JsonSchema = { readonly [key: string]: unknown }

/** The form of a parameter or of a part of an answer: checks a value, reads it from a query, and tells OpenAPI of itself. */
export interface Schema<T> {
  readonly json: JsonSchema
  /** May be left out. */
  readonly isOptional: boolean
  /** What is wrong with a value, or undefined. */
  problem(value: unknown, at: string): string | undefined
  /** What a text of a query string stands for; a text that stands for nothing is returned as it is, and has a problem. */
  read(text: string): unknown
  /** Of the types only: the value that has passed. */
  readonly of?: T
}

export type ValueOf<S> = S extends Schema<infer T> ? T : never
export type Members = { readonly [name: string]: Schema<unknown> }
export type ValuesOf<M extends Members> = { readonly [K in keyof M]: ValueOf<M[K]> }

const asText = (text: string): unknown => text
const say = (at: string, wanted: string): string => `${at}: ${wanted} is wanted`

/** Text of at most `max` UTF-16 units. */
export function text({ max = 255, min = 0, help }: { max?: number; min?: number; help?: string } = {}): Schema<string> {
  return {
    json: { type: 'string', maxLength: max, ...(min === 0 ? {} : { minLength: min }), ...described(help) },
    isOptional: false,
    problem(value, at) {
      if (typeof value !== 'string') return say(at, 'a text')
      if (value.length > max) return `${at}: ${value.length} characters, ${max} is the most`
      return value.length < min ? say(at, min === 1 ? 'something' : `a text of ${min} characters or more`) : undefined
    },
    read: asText,
  }
}

/** A whole number. */
export function int({
  min = Number.MIN_SAFE_INTEGER,
  max = Number.MAX_SAFE_INTEGER,
  help,
}: {
  min?: number
  max?: number
  help?: string
} = {}): Schema<number> {
  return {
    json: { type: 'integer', minimum: min, maximum: max, ...described(help) },
    isOptional: false,
    problem(value, at) {
      if (typeof value !== 'number' || !Number.isSafeInteger(value)) return say(at, 'a whole number')
      return value < min || value > max ? say(at, `a whole number from ${min} to ${max}`) : undefined
    },
    read: given => (/^-?\d+$/.test(given) ? Number(given) : given),
  }
}

/** Any number that is one. */
export const number = (): Schema<number> => ({
  json: { type: 'number' },
  isOptional: false,
  problem: (value, at) => (typeof value === 'number' && Number.isFinite(value) ? undefined : say(at, 'a number')),
  read: given => (given.trim() === '' ? given : Number(given)),
})

export const bool = (help?: string): Schema<boolean> => ({
  json: { type: 'boolean', ...described(help) },
  isOptional: false,
  problem: (value, at) => (typeof value === 'boolean' ? undefined : say(at, 'true or false')),
  read: given => (given === 'true' ? true : given === 'false' ? false : given),
})

export const oneOf = <const T extends string>(...words: readonly T[]): Schema<T> => ({
  json: { type: 'string', enum: words },
  isOptional: false,
  problem: (value, at) => (words.includes(value as T) ? undefined : say(at, `one of ${words.join(', ')}`)),
  read: asText,
})

/** At most `max` of them; in a query string they are joined by commas. */
export const list = <T>(of: Schema<T>, { max }: { readonly max: number }): Schema<readonly T[]> => ({
  json: { type: 'array', items: of.json, maxItems: max },
  isOptional: false,
  problem(value, at) {
    if (!Array.isArray(value)) return say(at, 'a list')
    if (value.length > max) return `${at}: ${value.length} members, ${max} is the most`
    return first(value.entries(), ([i, member]) => of.problem(member, `${at}[${i}]`))
  },
  read: given => (given === '' ? [] : given.split(',').map(member => of.read(decoded(member)))),
})

/** An object with these members and no others. */
export const shape = <M extends Members>(members: M): Schema<ValuesOf<M>> => ({
  json: {
    type: 'object',
    properties: Object.fromEntries(Object.entries(members).map(([name, { json }]) => [name, json])),
    required: Object.keys(members).filter(name => !members[name]!.isOptional),
    additionalProperties: false,
  },
  isOptional: false,
  problem(value, at) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return say(at, 'an object')
    const stranger = Object.keys(value).find(name => !Object.hasOwn(members, name))
    if (stranger !== undefined) return `${at}: there is no ${stranger} here, but ${Object.keys(members).join(', ')}`
    const given = value as Record<string, unknown>
    return first(Object.entries(members), ([name, schema]) => problemOf(schema, given[name], `${at}.${name}`))
  },
  read: readJson,
})

/** Texts by names that nobody knows before. */
export const record = <T>(of: Schema<T>, { max }: { readonly max: number }): Schema<Readonly<Record<string, T>>> => ({
  json: { type: 'object', additionalProperties: of.json, maxProperties: max },
  isOptional: false,
  problem(value, at) {
    if (typeof value !== 'object' || value === null || Array.isArray(value)) return say(at, 'an object')
    const entries = Object.entries(value)
    if (entries.length > max) return `${at}: ${entries.length} members, ${max} is the most`
    return first(entries, ([name, member]) => of.problem(member, `${at}.${name}`))
  },
  read: readJson,
})

/** May be left out. */
export const optional = <T>(of: Schema<T>): Schema<T | undefined> => ({
  ...of,
  isOptional: true,
  problem: (value, at) => (value === undefined ? undefined : of.problem(value, at)),
})

/** Null where it is not known. */
export const orNull = <T>(of: Schema<T>): Schema<T | null> => ({
  json: { anyOf: [of.json, { type: 'null' }] },
  isOptional: false,
  problem: (value, at) => (value === null ? undefined : of.problem(value, at)),
  read: of.read,
})

/** What is wrong with a member that may be missing. */
export function problemOf(schema: Schema<unknown>, value: unknown, at: string): string | undefined {
  if (value === undefined) return schema.isOptional ? undefined : `${at} is missing`
  return schema.problem(value, at)
}

/** What is no encoding is what it is. */
function decoded(given: string): string {
  try {
    return decodeURIComponent(given)
  } catch {
    return given
  }
}

function readJson(given: string): unknown {
  try {
    return JSON.parse(given)
  } catch {
    return given
  }
}

function first<T>(members: Iterable<T>, problem: (member: T) => string | undefined): string | undefined {
  for (const member of members) {
    const found = problem(member)
    if (found !== undefined) return found
  }
  return undefined
}

const described = (help: string | undefined) => (help === undefined ? {} : { description: help })
