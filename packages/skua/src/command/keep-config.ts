import {
  type ConfigChanges,
  ConfigFile,
  type Disk,
  decodeProperties,
  type Events,
  readProperties,
} from '@skua-mq/runtime'

/** Keeps options that a tool changed (25, 318) in the file from which the server was started, or one that is made for them. */
export function keepIn(path: string, at: { readonly disk: Disk; readonly events: Events }) {
  const file = new ConfigFile(path, at)
  return (changes: ConfigChanges): void => {
    const before = at.disk.stat(path) === undefined ? Buffer.alloc(0) : at.disk.readFile(path)
    const text = decodeProperties(before)
    const encoding = Buffer.from(text, 'latin1').equals(before) ? 'latin1' : 'utf8'
    file.save(Buffer.from(changedText(text, changes), encoding))
  }
}

/** The text with other values; what is not named stays byte for byte, comments too. Of a key, the last line counts. */
export function changedText(text: string, changes: ConfigChanges): string {
  const lines = text.split('\n')
  const placeOf = new Map(readProperties(text).map(({ key, line }) => [key, line - 1]))
  for (const [key, value] of changes) {
    const place = placeOf.get(key)
    const line = `${key}=${escaped(value)}`
    // A value over several lines is not taken apart: a later line of the same key takes its place.
    if (place !== undefined && !lines[place]!.trimEnd().endsWith('\\')) lines[place] = line
    else {
      const at = lines.at(-1) === '' ? lines.length - 1 : lines.length
      // The last line may go on in the next one, which would be this one; an empty line ends it.
      lines.splice(at, 0, ...(lines[at - 1]?.endsWith('\\') === true ? ['', line] : [line]))
    }
  }
  return lines.join('\n')
}

/**
 * Properties files are ISO 8859-1; what is not ASCII, controls and the backslash are written as Java writes them: a line
 * break in a value would begin another key, which nobody was allowed to set.
 */
function escaped(value: string): string {
  return value.replaceAll(/[^ -[\]-~]/g, char =>
    char === '\\' ? '\\\\' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
