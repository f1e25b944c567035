/** Between name and value of a property (remoting.md 14.1). */
export const nameValueSeparator = 1
/** Between two properties. */
export const propertySeparator = 2
/** The length field of the stored text is a signed short. */
export const maxPropertiesBytes = 32_767

const nameEnd = '\u0001'
const pairEnd = '\u0002'

/** Names and values in the order in which they stand. */
export type Properties = Map<string, string>

/**
 * Properties text to a map. Entries shorter than three characters, without a name or without a value vanish, as they do
 * in Java; of two entries with one name the last counts, and keeps the place of the first.
 */
export function parseProperties(text: string): Properties {
  const properties: Properties = new Map()
  let start = 0
  // Looked for again only when it was passed, or entries without one would each look through all that follows.
  let middle = text.indexOf(nameEnd)
  while (start < text.length && middle >= 0) {
    let end = text.indexOf(pairEnd, start)
    if (end < 0) end = text.length
    if (middle < start) middle = text.indexOf(nameEnd, start)
    if (middle > start && middle < end - 1) properties.set(text.slice(start, middle), text.slice(middle + 1, end))
    start = end + 1
  }
  return properties
}

/**
 * A map to properties text. `closed` (default false, as 4.9 writes) ends it with a separator, as 5.x writes; readers
 * take both. Names and values must not hold \u0001 or \u0002: see `isPropertyText`.
 */
export function printProperties(properties: Iterable<readonly [string, string]>, { closed = false } = {}): string {
  let text = ''
  for (const [name, value] of properties) {
    if (text !== '') text += pairEnd
    text += name + nameEnd + value
  }
  return closed && text !== '' ? text + pairEnd : text
}

/** Whether properties text ends with a separator, as 5.x writes it: a copy of the message ends as it does. */
export const isClosedText = (text: string): boolean => text.endsWith(pairEnd)

/** Whether this can be a name or a value: a separator inside would cut it apart at the reader. */
export function isPropertyText(text: string): boolean {
  return !text.includes(nameEnd) && !text.includes(pairEnd)
}

/** KEYS to its words: separated by blanks, empty ones dropped. */
export function splitKeys(keys: string): string[] {
  return keys.split(' ').filter(key => key !== '')
}
