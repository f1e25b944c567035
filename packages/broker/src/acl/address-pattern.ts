/** Whether an address, IPv4 or IPv6 without brackets, is meant. */
export type AddressPattern = (host: string) => boolean

const all: AddressPattern = () => true
const none: AddressPattern = () => false

/** What one part of an address may be: its number is asked for. */
type Part = (value: number) => boolean

interface Family {
  readonly separator: string
  readonly parts: number
  readonly radix: number
  readonly most: number
}

const v4: Family = { separator: '.', parts: 4, radix: 10, most: 255 }
const v6: Family = { separator: ':', parts: 8, radix: 16, most: 0xffff }

/**
 * An address of a white list (admin.md 7.3): empty means nobody, `*` everybody; a part may be `*`, a range `1-9`, or
 * `{1,2}`; several are joined by commas. Throws RangeError that says what is wrong. Java's range looks at one part and
 * takes any that come behind it; here each part counts.
 */
export function addressPattern(text: string): AddressPattern {
  const patterns = splitOutsideBraces(text).map(each => each.trim())
  if (patterns.every(each => each === '')) return none
  const each = patterns.map(onePattern)
  return each.length === 1 ? (each[0] as AddressPattern) : host => each.some(matches => matches(host))
}

function onePattern(text: string): AddressPattern {
  if (text === '*') return all
  const family = text.includes(':') ? v6 : v4
  const texts = partsOf(text, family)
  if (texts.length !== family.parts) {
    throw new RangeError(`${text} has ${texts.length} parts, an address has ${family.parts}`)
  }
  const parts = texts.map(part => partOf(part, text, family))
  return host => {
    if (host.includes(':') !== (family === v6)) return false
    const numbers = partsOf(host, family).map(part => Number.parseInt(part, family.radix))
    return parts.every((matches, i) => matches(numbers[i] as number))
  }
}

/** `::` stands for the zeros that are missing. */
function partsOf(text: string, { separator, parts }: Family): string[] {
  const gap = text.indexOf('::')
  if (gap < 0) return text.split(separator)
  const sides = [text.slice(0, gap), text.slice(gap + 2)].map(side => (side === '' ? [] : side.split(separator)))
  const [before = [], after = []] = sides
  return [...before, ...new Array<string>(Math.max(0, parts - before.length - after.length)).fill('0'), ...after]
}

function partOf(part: string, whole: string, family: Family): Part {
  if (part === '*') return () => true
  if (part.startsWith('{') && part.endsWith('}')) {
    const values = new Set(
      part
        .slice(1, -1)
        .split(',')
        .map(each => numberOf(each, whole, family)),
    )
    return value => values.has(value)
  }
  const [from = '', to] = part.split('-')
  const low = numberOf(from, whole, family)
  if (to === undefined) return value => value === low
  const high = numberOf(to, whole, family)
  if (low > high) throw new RangeError(`${whole}: the range ${part} ends before it begins`)
  return value => value >= low && value <= high
}

function numberOf(text: string, whole: string, { radix, most }: Family): number {
  const digits = radix === 10 ? /^\d{1,3}$/ : /^[0-9a-f]{1,4}$/i
  const value = Number.parseInt(text.trim(), radix)
  if (!digits.test(text.trim()) || value > most) {
    throw new RangeError(`${whole}: ${text} is no number from 0 to ${most.toString(radix)}`)
  }
  return value
}

function splitOutsideBraces(text: string): string[] {
  const pieces: string[] = []
  let depth = 0
  let begun = 0
  for (let at = 0; at < text.length; at++) {
    if (text[at] === '{') depth++
    else if (text[at] === '}') depth--
    else if (text[at] === ',' && depth === 0) {
      pieces.push(text.slice(begun, at))
      begun = at + 1
    }
  }
  pieces.push(text.slice(begun))
  return pieces
}
