export interface FoundFunction {
  /** Line of its head, from 1. */
  readonly line: number
  /** From its head to its closing brace. */
  readonly lines: number
  readonly name: string
}

const control = /^(\} )?(if|else|for|while|switch|try|catch|finally|do|with|case|default)\b/
const notCode = /^(export )?(declare )?(abstract )?(class|interface|type|namespace|enum)\b/

/**
 * The functions, methods and callbacks with a body of several lines. Goes by the form that biome gives all files: a body
 * opens at the end of a line and closes on a line with the same indentation; heads may span lines.
 */
export function functionsOf(source: string): FoundFunction[] {
  const lines = source.split('\n')
  const found: FoundFunction[] = []
  lines.forEach((text, at) => {
    if (!/(\)|\)?: [^=]+|=>) \{$/.test(text)) return
    const indent = indentOf(text)
    const first = headOf(lines, at, indent)
    const head = lines[first]!.trim()
    if (control.test(head) || notCode.test(head)) return
    const isArrow = text.endsWith('=> {')
    if (
      !isArrow &&
      !lines
        .slice(first, at + 1)
        .join('\n')
        .includes('(')
    )
      return
    const end = closingOf(lines, at, indent)
    if (end > at) found.push({ line: first + 1, lines: end - first + 1, name: nameOf(head) })
  })
  return found
}

/** The word before the parameters or the `=`; callbacks go by the word before their parenthesis. */
const nameOf = (head: string): string => /(\w+)(?: =|\(|<)/.exec(head)?.[1] ?? head

const indentOf = (text: string): number => text.length - text.trimStart().length

/** Where a head begins that ends on line `at`: parameters that stand on lines of their own are indented further. */
function headOf(lines: readonly string[], at: number, indent: number): number {
  if (!/^\s*[)\]}]/.test(lines[at]!)) return at
  for (let line = at - 1; line >= 0; line--)
    if (lines[line]!.trim() !== '' && indentOf(lines[line]!) === indent) return line
  return at
}

function closingOf(lines: readonly string[], at: number, indent: number): number {
  for (let line = at + 1; line < lines.length; line++) {
    const text = lines[line]!
    if (text.trim() !== '' && indentOf(text) === indent && /^\s*\}/.test(text)) return line
  }
  return -1
}
