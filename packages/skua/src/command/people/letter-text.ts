import { AdminError, type DeadLetter, type LetterChanges, letterProperties } from '@skua-mq/admin'
import { bodyText } from '../mqadmin/frame/json.ts'

const head = [
  '# Properties, a line each: NAME=VALUE. A line that is taken away takes its property away.',
  '# Below the empty line is the body. Save and close to resend it; without a change nothing is resent.',
]
const base64 = 'base64:'

/** A dead letter for an editor. */
export function letterText(letter: DeadLetter): string {
  const properties = Object.entries(letterProperties(letter)).map(([name, value]) => `${name}=${valueText(value)}`)
  return `${[...head, ...properties].join('\n')}\n\n${bodyText(letter.body)}`
}

/** Values of several lines stand in quotes, as JSON. */
const valueText = (value: string): string => (/^"|[\r\n]/.test(value) ? JSON.stringify(value) : value)

/** What was changed; undefined for nothing. Errors: ARGUMENT for a line that is no property. */
export function letterChanges(letter: DeadLetter, text: string): LetterChanges | undefined {
  const end = /\r?\n\r?\n/.exec(text)
  const lines = (end === null ? text : text.slice(0, end.index)).split(/\r?\n/)
  const before = letterProperties(letter)
  const after = Object.fromEntries(lines.filter(line => line !== '' && !line.startsWith('#')).map(propertyOf))
  const changes: Record<string, string> = {}
  for (const name of new Set([...Object.keys(before), ...Object.keys(after)]))
    if (before[name] !== after[name]) changes[name] = after[name] ?? ''
  const body = bodyOf(letter, end === null ? '' : text.slice(end.index + end[0].length))
  if (Object.keys(changes).length === 0 && body === undefined) return undefined
  return { properties: changes, ...(body === undefined ? {} : { body }) }
}

function propertyOf(line: string): [name: string, value: string] {
  const at = line.indexOf('=')
  if (at < 1)
    throw new AdminError(
      'ARGUMENT',
      `"${line}" is no property: NAME=VALUE is wanted, and an empty line before the body`,
    )
  const value = line.slice(at + 1)
  return [line.slice(0, at), value.startsWith('"') ? quoted(value) : value]
}

function quoted(value: string): string {
  try {
    return String(JSON.parse(value))
  } catch {
    return value
  }
}

/** Undefined where it is what it was, but for the line end that editors put at the end. */
function bodyOf({ body }: DeadLetter, text: string): Buffer | undefined {
  const before = bodyText(body)
  const after = text.endsWith('\n') && !before.endsWith('\n') ? text.replace(/\r?\n$/, '') : text
  if (after === before) return undefined
  return after.startsWith(base64) ? Buffer.from(after.slice(base64.length).trim(), 'base64') : Buffer.from(after)
}
