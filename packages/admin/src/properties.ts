import { AdminError } from './error.ts'

/** Settings of a server by their names. */
export type Settings = Record<string, string>

/** What servers write: a line `key=value` each, without escapes; sorted by name. */
export function readSettings(text: string): Settings {
  const entries: [string, string][] = []
  for (const line of text.split(/\r?\n/)) {
    const at = line.indexOf('=')
    if (at > 0 && !line.startsWith('#')) entries.push([line.slice(0, at), line.slice(at + 1)])
  }
  return Object.fromEntries(entries.sort(([a], [b]) => (a < b ? -1 : a > b ? 1 : 0)))
}

/** What servers read: Java's properties, so that a backslash is written twice. Errors: ARGUMENT for line ends. */
export function writeSettings(settings: Settings): string {
  const lines: string[] = []
  for (const [key, value] of Object.entries(settings)) {
    if (/[\r\n]/.test(key + value) || key === '')
      throw new AdminError(
        'ARGUMENT',
        `"${key}" cannot be set: a key has a name, and neither it nor its value has line ends`,
      )
    lines.push(`${key}=${value.replaceAll('\\', '\\\\')}\n`)
  }
  return lines.join('')
}
