import {
  type ConfigChanges,
  ConfigFile,
  type Disk,
  decodeProperties,
  type Events,
  readProperties,
} from '@skua-mq/runtime'

/** Keeps options that a tool changed (25, 318) in the file from which the server was started. */
export function keepIn(path: string, at: { readonly disk: Disk; readonly events: Events }) {
  const file = new ConfigFile(path, at)
  return (changes: ConfigChanges): void => {
    file.save(Buffer.from(changedText(decodeProperties(at.disk.readFile(path)), changes), 'latin1'))
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
    else if (lines.at(-1) === '') lines.splice(-1, 0, line)
    else lines.push(line)
  }
  return lines.join('\n')
}

/** Properties files are ISO 8859-1; what is not ASCII and the backslash are written as Java writes them. */
function escaped(value: string): string {
  return value.replaceAll(/[\\\u0080-\uffff]/g, char =>
    char === '\\' ? '\\\\' : `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`,
  )
}
