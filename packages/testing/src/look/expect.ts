import { AssertionError } from 'node:assert'
import { inspect, isDeepStrictEqual } from 'node:util'
import { anything, checkShape, count, type Shape, text, textOrRegExp, textsByName } from '../shape.ts'

/** What a message must have; what is left out may be anything. */
export interface MessagePattern {
  readonly topic?: string | undefined
  /** The body as text. */
  readonly text?: string | RegExp | undefined
  /** The body as JSON: members that are given must be equal, others may be there. */
  readonly value?: unknown
  readonly tag?: string | undefined
  /** One of its keys. */
  readonly key?: string | undefined
  readonly properties?: Readonly<Record<string, string>> | undefined
}

const patternShape: Shape<MessagePattern> = {
  topic: text,
  text: textOrRegExp,
  value: anything,
  tag: text,
  key: text,
  properties: textsByName,
}

const letters = Object.fromEntries(Object.entries(patternShape).filter(([name]) => name !== 'topic'))

/** What each expectation takes. */
const shapes = {
  expectDelivered: { ...patternShape, group: text, times: count },
  expectNotDelivered: { ...patternShape, group: text },
  expectDeadLetter: { ...letters, group: text },
} as const

/** Throws TypeError for what is no pattern: it would match everything, or nothing. */
export const checkPattern = (what: keyof typeof shapes, given: object): void =>
  checkShape(given, shapes[what], { what, needs: ['group'] })

/** A message as expectations see it. */
export interface Seen {
  readonly msgId: string
  readonly topic: string
  readonly body: Buffer
  readonly tag: string | undefined
  readonly keys: readonly string[]
  readonly properties: Readonly<Record<string, string>>
  /** What became of it, in a word or two. */
  readonly fate: string
  /** Where it is now, where the fate does not say all. */
  readonly place?: string
}

/** How many messages of a failed expectation are listed. */
const listed = 10

/** The parts of the pattern that the message has not. */
function misses(pattern: MessagePattern, seen: Seen): string[] {
  return Object.entries(pattern)
    .filter(([name, wanted]) => wanted !== undefined && !has(seen, name as keyof MessagePattern, wanted))
    .map(([name]) => name)
}

export const matches = (pattern: MessagePattern, seen: Seen): boolean => misses(pattern, seen).length === 0

function has(seen: Seen, name: keyof MessagePattern, wanted: unknown): boolean {
  switch (name) {
    case 'text':
      return wanted instanceof RegExp ? wanted.test(seen.body.toString()) : wanted === seen.body.toString()
    case 'value':
      return contains(jsonOf(seen), wanted)
    case 'key':
      return seen.keys.includes(wanted as string)
    case 'properties':
      return contains(seen.properties, wanted)
    default:
      return seen[name] === wanted
  }
}

/** Objects may have more members than are wanted; lists may not. */
function contains(actual: unknown, wanted: unknown): boolean {
  if (!isObject(wanted) || !isObject(actual)) return isDeepStrictEqual(actual, wanted)
  if (Array.isArray(wanted)) {
    if (!Array.isArray(actual) || actual.length !== wanted.length) return false
    return wanted.every((one, at) => contains((actual as unknown[])[at], one))
  }
  return Object.entries(wanted).every(([key, value]) => contains((actual as Record<string, unknown>)[key], value))
}

const isObject = (value: unknown): value is object => typeof value === 'object' && value !== null

function jsonOf({ body }: Seen): unknown {
  try {
    return JSON.parse(body.toString())
  } catch {
    return body.toString()
  }
}

/** The message, in the parts that the pattern names, and of objects only their wanted members: what a diff should show. */
function inPartsOf(pattern: MessagePattern, seen: Seen): Record<string, unknown> {
  const shown: Record<string, unknown> = {}
  for (const [name, wanted] of Object.entries(pattern)) {
    if (wanted === undefined) continue
    if (name === 'value') shown.value = within(jsonOf(seen), wanted)
    else if (name === 'text') shown.text = seen.body.toString()
    else if (name === 'key') shown.key = seen.keys.includes(wanted as string) ? wanted : seen.keys.join(' ')
    else if (name === 'properties') shown.properties = within(seen.properties, wanted)
    else shown[name] = seen[name as 'topic' | 'tag']
  }
  return shown
}

function within(actual: unknown, wanted: unknown): unknown {
  if (!isObject(wanted) || !isObject(actual) || Array.isArray(wanted)) return actual
  const members = Object.keys(wanted).filter(key => key in actual)
  return Object.fromEntries(
    members.map(key => [
      key,
      within((actual as Record<string, unknown>)[key], (wanted as Record<string, unknown>)[key]),
    ]),
  )
}

const given = (pattern: MessagePattern): Record<string, unknown> =>
  Object.fromEntries(Object.entries(pattern).filter(([, value]) => value !== undefined))

const lineOf = (seen: Seen): string => {
  const body = seen.body.toString()
  const parts = [seen.topic, seen.tag === undefined ? '' : `tag ${seen.tag}`, seen.keys.join(' ')].filter(Boolean)
  return `  ${parts.join(', ')}: ${body.length > 100 ? `${body.slice(0, 100)}…` : body}  (${seen.fate}${seen.place === undefined ? '' : `; ${seen.place}`})`
}

/** How the nearest message differs, part by part. */
function differences(pattern: MessagePattern, nearest: Seen): string {
  const parts = misses(pattern, nearest)
  if (parts.length === 0) return ''
  const shown = inPartsOf(pattern, nearest)
  const lines = parts.map(
    name => `  ${name}: ${inline(shown[name])} instead of ${inline(pattern[name as keyof MessagePattern])}`,
  )
  return `The nearest one differs:\n${lines.join('\n')}\n`
}

const inline = (value: unknown): string => inspect(value, { depth: 6, breakLength: Number.POSITIVE_INFINITY })

/** An error with the nearest message as what was there, so that test runners show the difference. */
export function expectationFailed(what: string, pattern: MessagePattern, all: readonly Seen[]): AssertionError {
  const ranked = [...all].sort((a, b) => misses(pattern, a).length - misses(pattern, b).length)
  const nearest = ranked[0]
  const wanted = inspect(given(pattern), { depth: 6, breakLength: 100 })
  const more = all.length > listed ? `\n  and ${all.length - listed} more` : ''
  const there =
    nearest === undefined
      ? 'There is no message at all.'
      : `${differences(pattern, nearest)}What is there:\n${ranked.slice(0, listed).map(lineOf).join('\n')}${more}`
  return new AssertionError({
    message: `${what} ${wanted}\n${there}`,
    actual: nearest === undefined ? undefined : inPartsOf(pattern, nearest),
    expected: given(pattern),
    // One that Node does not know: it would put its own text before ours.
    operator: 'expect',
  })
}
