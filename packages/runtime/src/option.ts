import { didYouMean } from './text/nearest.ts'

/** What stands in an option table for one key. Made by the constructors below, never by hand. */
export interface Option<T> {
  readonly default: Default<T>
  readonly help: string
  /** May be changed while the server runs. */
  readonly live: boolean
  /** `none`: RocketMQ knows the key, here it does nothing; a file that sets it is told so. */
  readonly effect: 'full' | 'none'
  /** Other spellings; the key itself wins over them. */
  readonly aliases: readonly string[]
  /** The version of ours that brought it; undefined for the first one. */
  readonly since: string | undefined
  /** What the value is, for people: `hours`, `true or false`, `ASYNC_FLUSH or SYNC_FLUSH`. */
  readonly kind: string
  /** All values that there are, where they are few. */
  readonly choices?: readonly string[] | undefined
  /** Throws an Error whose message completes "must be …". */
  parse(text: string): T
  print(value: T): string
}

/**
 * A function is called when the key is absent, so that costly or machine-bound defaults cost nothing otherwise; it is given
 * the values of the keys that stand before its own in the table.
 */
export type Default<T> = T | ((before: Readonly<Record<string, unknown>>) => T)

export interface OptionFacts<T> {
  readonly default: Default<T>
  readonly help: string
  readonly live?: boolean
  readonly effect?: 'none'
  readonly aliases?: readonly string[]
  readonly since?: string
}

export interface ChoiceFacts<V extends string> extends OptionFacts<V> {
  /** Values of RocketMQ's that are refused, each with what there is instead. */
  readonly others?: Readonly<Record<string, string>>
}

export interface NumberFacts extends OptionFacts<number> {
  readonly min?: number
  readonly max?: number
}

interface Codec<T> {
  readonly kind: string
  readonly choices?: readonly string[]
  parse(text: string): T
  print(value: T): string
}

const maxInt = 2 ** 31 - 1

/** Java writes its largest long for "no limit"; numbers of ours end at 2^53 - 1, so that is what it reads as. */
const javaMaxLong = '9223372036854775807'

/** A name: not empty, without blanks. */
export const word = (facts: OptionFacts<string>): Option<string> =>
  option(facts, {
    kind: 'word',
    parse: text => (/^\S+$/.test(text) ? text : mustBe('one word')),
    print: String,
  })

/** Facts of a key that RocketMQ knows and that does nothing here: its file is told so once. */
export const idle = (help: string) => ({ help, effect: 'none' }) as const

/** Any text, also empty. */
export const text = (facts: OptionFacts<string>): Option<string> =>
  option(facts, { kind: 'text', parse: value => value, print: String })

/** Text of a form: `isRight` knows it, and `kind` says it to whoever wrote something else. */
export const formed = (
  { kind, isRight }: { readonly kind: string; readonly isRight: (text: string) => boolean },
  facts: OptionFacts<string>,
): Option<string> => option(facts, { kind, parse: value => (isRight(value) ? value : mustBe(kind)), print: String })

/** An IP address or a name that leads to one; empty where the table says what that means. */
export const host = (facts: OptionFacts<string>): Option<string> =>
  formed({ kind: 'an IP address or a host name', isRight: text => text === '' || isHost(text) }, facts)

/** `host:port`, or several joined by `;`; may be empty. */
export const addresses = (facts: OptionFacts<string>): Option<string> =>
  formed({ kind: 'host:port, joined by ;', isRight: text => text.split(';').every(isEmptyOrAddress) }, facts)

/** One `host:port`; may be empty. */
export const address = (facts: OptionFacts<string>): Option<string> =>
  formed({ kind: 'host:port', isRight: isEmptyOrAddress }, facts)

function isEmptyOrAddress(text: string): boolean {
  const [, name = '', port] = /^(.*):(\d{1,5})$/.exec(text.trim()) ?? []
  return text.trim() === '' || (isHost(name.replace(/^\[(.*)\]$/, '$1')) && Number(port) > 0 && Number(port) <= 65_535)
}

/** What looks like an IPv4 address must be one: nobody has a host of that name. */
function isHost(text: string): boolean {
  if (text.includes(':')) return /^[\da-f]*:[\da-f:.]*(%\w+)?$/i.test(text)
  if (/^[\d.]+$/.test(text))
    return /^(\d{1,3}\.){3}\d{1,3}$/.test(text) && text.split('.').every(part => Number(part) < 256)
  return /^\w([\w-]*\w)?(\.\w([\w-]*\w)?)*\.?$/.test(text)
}

/** A path; `~` and `${user.home}` at its start are the home directory, which the command fills in. */
export const path = (facts: OptionFacts<string>): Option<string> =>
  option(facts, { kind: 'path', parse: value => value, print: String })

export const bool = (facts: OptionFacts<boolean>): Option<boolean> =>
  option(facts, {
    kind: 'true or false',
    parse: value => {
      const lower = value.toLowerCase()
      return lower === 'true' || (lower === 'false' ? false : mustBe('true or false'))
    },
    print: String,
  })

/**
 * A switch of RocketMQ's that is not there yet, and whose silence would be dangerous: who sets it to true is refused, with
 * `why`, and nothing starts.
 */
export const unavailable = ({ why }: { why: string }): Option<boolean> =>
  option<boolean>(
    { default: false, help: `only false: ${why}` },
    {
      kind: 'false',
      parse: value => (value.toLowerCase() === 'false' ? false : mustBe(`false: ${why}`)),
      print: String,
    },
  )

/** Java's int. */
export const int = (facts: NumberFacts): Option<number> => numberOption('integer', facts, maxInt)

/** Java's long, as far as a number of ours goes. */
export const long = (facts: NumberFacts): Option<number> => numberOption('integer', facts, Number.MAX_SAFE_INTEGER)

/** A port; 0 where the table allows it means any free one. */
export const port = (facts: NumberFacts): Option<number> =>
  numberOption('port', { min: 0, max: 65_535, ...facts }, maxInt)

export const bytes = (facts: NumberFacts): Option<number> => amount('bytes', facts)
export const count = (facts: NumberFacts): Option<number> => amount('count', facts)
export const millis = (facts: NumberFacts): Option<number> => amount('milliseconds', facts)
export const seconds = (facts: NumberFacts): Option<number> => amount('seconds', facts)
export const hours = (facts: NumberFacts): Option<number> => amount('hours', facts)
export const percent = (facts: NumberFacts): Option<number> => amount('percent', { max: 100, ...facts })

/** One of Java's enum constants, by name. */
export function oneOf<const V extends string>(values: readonly V[], facts: ChoiceFacts<NoInfer<V>>): Option<V> {
  const kind = values.join(' or ')
  return option<V>(facts, {
    kind,
    choices: values,
    parse: value => {
      const why = facts.others?.[value]
      const found = values.find(known => known === value)
      return found ?? mustBe(why === undefined ? `${kind}${meant(value, values)}` : `${kind}: ${why}`)
    },
    print: String,
  })
}

/** The choice that was probably meant: `5.3` for `5.3.3`, `SLAVE` for `SLAV`. */
function meant(value: string, values: readonly string[]): string {
  const begun = values.find(known => value !== '' && (value.startsWith(known) || known.startsWith(value)))
  return begun === undefined ? didYouMean(value, values) : `; did you mean ${begun}?`
}

function amount(kind: string, facts: NumberFacts): Option<number> {
  return numberOption(kind, { min: 0, ...facts }, Number.MAX_SAFE_INTEGER)
}

function numberOption(kind: string, facts: NumberFacts, top: number): Option<number> {
  const min = facts.min ?? -top
  const max = facts.max ?? top
  const wanted = `a whole number${rangeOf({ min, max, top })}`
  return option(facts, {
    kind,
    parse: value => {
      const number = value === javaMaxLong ? Number.MAX_SAFE_INTEGER : Number(value)
      const whole = /^[+-]?\d+$/.test(value) && Number.isSafeInteger(number)
      return whole && number >= min && number <= max ? number : mustBe(`${wanted}${unitHint(value, kind)}`)
    },
    print: String,
  })
}

function rangeOf({ min, max, top }: { min: number; max: number; top: number }): string {
  if (max < top) return ` from ${min} to ${max}`
  return min > -top ? ` of at least ${min}` : ''
}

/** What people write behind numbers, in the unit of the key. */
const unitsOf: Readonly<Record<string, Readonly<Record<string, number>>>> = {
  bytes: { k: 1024, m: 1024 ** 2, g: 1024 ** 3, t: 1024 ** 4 },
  milliseconds: { ms: 1, s: 1000, m: 60_000, h: 3_600_000 },
  seconds: { s: 1, m: 60, h: 3600 },
  hours: { h: 1, d: 24 },
  percent: { '%': 1 },
}

function unitHint(value: string, kind: string): string {
  const units = unitsOf[kind]
  if (units === undefined) return ''
  const [, digits, unit = ''] = /^(\d+)\s*([a-z%]+)$/i.exec(value) ?? []
  const factor = units[unit.toLowerCase()] ?? units[unit.toLowerCase().replace(/i?b$/, '')]
  return factor === undefined ? `, in ${kind}` : `, in ${kind} and without a unit: ${Number(digits) * factor}`
}

function option<T>(facts: OptionFacts<T>, codec: Codec<T>): Option<T> {
  const { live = false, effect = 'full', aliases = [], since } = facts
  return { default: facts.default, help: facts.help, live, effect, aliases, since, ...codec }
}

function mustBe(what: string): never {
  throw new Error(what)
}
