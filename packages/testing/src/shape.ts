import { inspect } from 'node:util'
import { didYouMean } from '@skua-mq/runtime'

/** What a member may be, and how a sentence says that. */
export interface Kind {
  readonly is: (value: unknown) => boolean
  readonly noun: string
}

export const text: Kind = { is: isText, noun: 'a text' }
export const textOrRegExp: Kind = { is: value => isText(value) || value instanceof RegExp, noun: 'a text or a RegExp' }
export const texts: Kind = { is: value => isText(value) || isListOf(value, isText), noun: 'a text or a list of texts' }
export const count: Kind = { is: isCount, noun: 'a whole number from 0 on' }
export const port: Kind = { is: value => isCount(value) && (value as number) <= 65_535, noun: 'a port, 0 to 65535' }
export const integer: Kind = { is: Number.isSafeInteger, noun: 'a whole number' }
export const textOrNumber: Kind = { is: value => isText(value) || isNumber(value), noun: 'a text or a number' }
export const object: Kind = { is: isObject, noun: 'an object' }
export const textsByName: Kind = {
  is: value => isObject(value) && Object.values(value as object).every(each => each === undefined || isText(each)),
  noun: 'an object of texts',
}
export const list: Kind = { is: Array.isArray, noun: 'a list' }
export const textOrList: Kind = { is: value => isText(value) || Array.isArray(value), noun: 'a text or a list' }
export const time: Kind = {
  is: value => isText(value) || isNumber(value) || value instanceof Date,
  noun: 'a Date, a text or a number',
}
export const anything: Kind = { is: () => true, noun: 'anything' }
export const oneOf = (...words: readonly string[]): Kind => ({
  is: value => words.includes(value as string),
  noun: words.map(word => `'${word}'`).join(' or '),
})

/** A kind for each member of a type: the compiler sees that none is missing. */
export type Shape<T> = Readonly<Record<keyof T & string, Kind>>

/** What people write who know the word from somewhere else. */
const elsewhere: Readonly<Record<string, string>> = {
  tags: 'tag',
  keys: 'key',
  key: 'keys',
  body: 'text',
  json: 'value',
  value: 'json',
  headers: 'properties',
  consumerGroup: 'group',
  groupId: 'group',
  count: 'times',
}

export interface ShapeOf {
  /** Who says it, e.g. `expectDelivered`. */
  readonly what: string
  /** What a member is called there. Default `member`. */
  readonly member?: string
  /** Members that must be there. */
  readonly needs?: readonly string[]
}

/** For those who write JavaScript: refuses members that nobody knows, with the nearest that is known, and values of another kind. Throws TypeError. */
export function checkShape(
  given: unknown,
  shape: Readonly<Record<string, Kind>>,
  { what, member = 'member', needs = [] }: ShapeOf,
): void {
  if (!isObject(given)) throw new TypeError(`${what} takes an object: ${shown(given)} was given`)
  for (const [name, value] of Object.entries(given as object)) {
    const kind = Object.hasOwn(shape, name) ? shape[name] : undefined
    if (kind === undefined) throw new TypeError(`${what} has no ${member} ${name}${meant(name, Object.keys(shape))}`)
    if (value !== undefined && !kind.is(value))
      throw new TypeError(`${name} of ${what} must be ${kind.noun}: ${shown(value)} was given`)
  }
  for (const name of needs)
    if ((given as Record<string, unknown>)[name] === undefined) throw new TypeError(`${what} needs a ${name}`)
}

function meant(name: string, known: readonly string[]): string {
  const word = elsewhere[name]
  if (word !== undefined && known.includes(word)) return `; did you mean ${word}?`
  const near = didYouMean(name, known)
  return near === '' ? `: ${known.join(', ')} are known` : near
}

const shown = (value: unknown): string => inspect(value, { depth: 0 })

function isText(value: unknown): value is string {
  return typeof value === 'string'
}

function isNumber(value: unknown): boolean {
  return typeof value === 'number' && !Number.isNaN(value)
}

function isCount(value: unknown): boolean {
  return Number.isSafeInteger(value) && (value as number) >= 0
}

function isObject(value: unknown): boolean {
  return typeof value === 'object' && value !== null && !Array.isArray(value)
}

function isListOf(value: unknown, is: (each: unknown) => boolean): boolean {
  return Array.isArray(value) && value.every(is)
}
