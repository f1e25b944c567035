import { InvalidArgumentError } from 'commander'

/** A flag of a subcommand; `T` is what its value becomes. Names are Apache's. */
export interface Flag<T> {
  /** Without dash. */
  readonly short: string
  readonly long: string
  readonly help: string
  /** Without one the flag takes no value. */
  readonly value?: string
  readonly needed?: true
  parse(text: string): T
}

// biome-ignore lint/suspicious/noExplicitAny: a flag of any type; the members' types are inferred from the table
export type Flags = Readonly<Record<string, Flag<any>>>

/** What the flags of a table become. */
export type Values<F extends Flags> = { readonly [K in keyof F]: F[K] extends Flag<infer T> ? T : never }

const refuse = (message: string): never => {
  throw new InvalidArgumentError(message)
}

/** What is given must be given. */
export const needed = <T>(flag: Flag<T | undefined>): Flag<T> => ({ ...flag, needed: true }) as Flag<T>

/** Apache's tools cut blanks. */
export const text = (short: string, long: string, help: string): Flag<string | undefined> => {
  return { short, long, help, value: long, parse: given => given.trim() || refuse('a text is wanted') }
}

/** A whole number from 0 on. */
export const whole = (short: string, long: string, help: string): Flag<number | undefined> => ({
  short,
  long,
  help,
  value: 'n',
  parse: given => {
    const value = Number(given.trim())
    return given.trim() !== '' && Number.isSafeInteger(value) && value >= 0 ? value : refuse('a whole number is wanted')
  },
})

/** `true` or `false`. */
export const truth = (short: string, long: string, help: string): Flag<boolean | undefined> => ({
  short,
  long,
  help,
  value: 'true|false',
  parse: given => {
    const word = given.trim().toLowerCase()
    return word === 'true' || word === 'false' ? word === 'true' : refuse('true or false is wanted')
  },
})

/** Is there or not. */
export const toggle = (short: string, long: string, help: string): Flag<boolean> => {
  return { short, long, help, parse: () => true }
}

/** A permission of a topic: 2 write, 4 read, 6 both. */
export const permission = (help = 'permission of the topic: 2 write, 4 read, 6 both'): Flag<number | undefined> => ({
  short: 'p',
  long: 'perm',
  help,
  value: '2|4|6',
  parse: given => (/^[0246]$/.test(given.trim()) ? Number(given) : refuse('2, 4 or 6 is wanted')),
})

/** A time: milliseconds since 1970, or `yyyy-MM-dd#HH:mm:ss:SSS` in local time. */
export const time = (short: string, long: string, help: string): Flag<number | undefined> => ({
  short,
  long,
  help,
  value: 'time',
  parse: given => timeOf(given.trim()),
})

/** The form of Apache's tools, whose parts behind the day may be left out. */
const dayForm = /^(\d{4})-(\d{1,2})-(\d{1,2})(?:[#T ](\d{1,2})(?::(\d{1,2})(?::(\d{1,2})(?:[:.](\d{1,3}))?)?)?)?$/

/** A time that says its zone means the same on every machine; the dashboard writes commands so. */
const zonedForm = /^\d{4}-\d{2}-\d{2}T\d{2}:\d{2}(:\d{2}(\.\d{1,3})?)?(Z|[+-]\d{2}:\d{2})$/

/** Milliseconds since 1970. Throws InvalidArgumentError. */
export function timeOf(given: string): number {
  if (zonedForm.test(given) && Number.isFinite(Date.parse(given))) return Date.parse(given)
  if (/^\d+$/.test(given) && Number.isSafeInteger(Number(given))) return Number(given)
  const parts = dayForm.exec(given)
  if (parts === null) return refuse('milliseconds since 1970 or yyyy-MM-dd#HH:mm:ss:SSS are wanted')
  const [year = 0, month = 1, day = 1, hour = 0, minute = 0, second = 0, ms = 0] = parts
    .slice(1)
    .map(part => Number(part ?? 0))
  return new Date(year, month - 1, day, hour, minute, second, ms).getTime()
}

/** Which broker or brokers: `-b` or `-c`. Apache writes `clusterName` with some subcommands and `cluster` with others. */
export const whereFlags = (cluster: 'clusterName' | 'cluster' = 'clusterName') => ({
  brokerAddr: text('b', 'brokerAddr', 'this broker, host:port'),
  clusterName: text('c', cluster, 'all brokers of this cluster'),
})
