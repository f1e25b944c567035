/** A key and its value with their place in the source. `separated`: there was a "=", ":" or a blank between them. */
export interface Pair {
  readonly key: string
  readonly value: string
  readonly separated: boolean
  readonly start: number
  readonly end: number
}

const physicalLine = /[^\r\n]+/g
const keyAndRest = /^((?:[^\\=: \t\f]|\\.)*)([ \t\f]*[=:]?[ \t\f]*)(.*)$/s

/**
 * Java's .properties format: comments, blank lines, lines continued by a backslash at their end, "=", ":" or blanks
 * between key and value. Knows no errors: what is wrong is for the caller to see.
 */
export function parsePairs(source: string): Pair[] {
  const pairs: Pair[] = []
  let text = ''
  let start = -1
  let formerEnd = 0
  for (const match of source.matchAll(physicalLine)) {
    const line = match[0].replace(/^[ \t\f]+/, '')
    const end = match.index + match[0].length
    // An empty line ends a continued one.
    const continued = start !== -1 && /^(?:\r\n|\r|\n)$/.test(source.slice(formerEnd, match.index))
    if (start !== -1 && !continued) {
      pairs.push(pairOf(text, start, formerEnd))
      start = -1
    }
    formerEnd = end
    if (!continued) {
      if (line === '' || line.startsWith('#') || line.startsWith('!')) continue
      text = ''
      start = end - line.length
    }
    text += line
    if (slashesAtEnd(line) % 2 === 1) {
      text = text.slice(0, -1)
      // A backslash alone continues nothing: what follows may be a comment.
      if (text === '') start = -1
    } else {
      pairs.push(pairOf(text, start, end))
      start = -1
    }
  }
  if (start !== -1) pairs.push(pairOf(text, start, source.length))
  return pairs
}

function slashesAtEnd(line: string): number {
  let count = 0
  while (line[line.length - 1 - count] === '\\') count++
  return count
}

function pairOf(text: string, start: number, end: number): Pair {
  const [, key = '', separator = '', value = ''] = keyAndRest.exec(text) ?? []
  return { key: unescaped(key), value: unescaped(value), separated: separator !== '', start, end }
}

const controls: Record<string, string> = { t: '\t', n: '\n', r: '\r', f: '\f' }

function unescaped(text: string): string {
  return text.replace(/\\(u[0-9a-fA-F]{4}|.|$)/gs, (_, code: string) =>
    code.length === 5 ? String.fromCharCode(Number.parseInt(code.slice(1), 16)) : (controls[code] ?? code),
  )
}
