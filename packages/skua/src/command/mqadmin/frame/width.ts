import { eastAsianWidth } from 'get-east-asian-width'

const plain = /^[\x20-\x7e]*$/
// biome-ignore lint/suspicious/noControlCharactersInRegex: what a terminal would obey is what is looked for
const control = /[\x00-\x1f\x7f-\x9f\u2028\u2029]/g
/** Marks above and below others, and what shows nothing. */
const widthless = /^[\p{Mn}\p{Me}\p{Cf}]$/u

let segmenter: Intl.Segmenter | undefined

/** Columns that a text takes on a terminal: a Chinese character or an emoji is two wide, a combining mark none. */
export function widthOf(text: string): number {
  if (plain.test(text)) return text.length
  segmenter ??= new Intl.Segmenter()
  let width = 0
  for (const { segment } of segmenter.segment(text)) width += widthOfCharacter(segment)
  return width
}

/** Of what a reader takes for one character: its base says how wide it is. */
function widthOfCharacter(segment: string): number {
  const first = segment.codePointAt(0)!
  if (widthless.test(String.fromCodePoint(first))) return 0
  return segment.includes('\ufe0f') ? 2 : eastAsianWidth(first)
}

/** What a terminal would obey, made visible: names and bodies come from anybody. */
export function visible(text: string): string {
  if (plain.test(text)) return text
  return text.replace(control, char => `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`)
}

/** Filled with blanks up to a width. */
export function padded(text: string, width: number, isRight: boolean): string {
  const blanks = ' '.repeat(Math.max(0, width - widthOf(text)))
  return isRight ? blanks + text : text + blanks
}

/** As much of a text as so many columns show. */
export function cut(text: string, columns: number): string {
  if (widthOf(text) <= columns) return text
  segmenter ??= new Intl.Segmenter()
  let shown = ''
  let width = 0
  for (const { segment } of segmenter.segment(text)) {
    width += widthOfCharacter(segment)
    if (width > columns) break
    shown += segment
  }
  return shown
}
