/** Java's parsing of numbers in text, which property values go through when they meet a number. */

/** Integer.valueOf: undefined for what it throws on, which includes 3000000000, '1.0' and ' 1'. */
export function javaInt(text: string): number | undefined {
  const digits = asciiDigits(text)
  if (!whole.test(digits)) return undefined
  const value = Number(digits)
  return value >= -0x80000000 && value <= 0x7fffffff ? value | 0 : undefined
}

/** Long.valueOf, as a bigint, since all 64 bits count. */
export function javaLong(text: string): bigint | undefined {
  const digits = asciiDigits(text)
  if (!whole.test(digits) || digits.length > maxNumberText) return undefined
  const value = BigInt(digits.startsWith('+') ? digits.slice(1) : digits)
  return value >= minLong && value <= maxLong ? value : undefined
}

/** Double.valueOf: takes blanks around it, `1d`, `1.5f`, NaN, Infinity and hexadecimal with a binary exponent. */
export function javaDouble(text: string): number | undefined {
  const bare = trimControl(text)
  const found = decimal.exec(bare)
  if (found !== null) return Number(found[1])
  const special = /^([+-]?)(NaN|Infinity)$/.exec(bare)
  if (special !== null) return special[2] === 'NaN' ? Number.NaN : special[1] === '-' ? -Infinity : Infinity
  return hexDouble(bare)
}

/** Double.compareTo: NaN is equal to itself and above all, and -0 is below 0. */
export function compareDoubles(a: number, b: number): number {
  if (a < b) return -1
  if (a > b) return 1
  if (a === b && a !== 0) return 0
  if (Object.is(a, b)) return 0
  if (Number.isNaN(a)) return 1
  if (Number.isNaN(b)) return -1
  return Object.is(a, -0) ? -1 : 1
}

const minLong = -(2n ** 63n)
export const maxLong = 2n ** 63n - 1n
/** Leading zeros are allowed without end; longer text than this is no number to us. */
const maxNumberText = 4096
const whole = /^[+-]?[0-9]+$/
/** No part may be taken by two of its pieces: a long run of digits with a letter behind it would cost its square. */
const decimal = /^([+-]?(?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)?)[fFdD]?$/

/** Java takes the decimal digits of every script that are one UTF-16 unit; they stand in runs from 0 to 9 with gaps between. */
function asciiDigits(text: string): string {
  return text.replace(/[^\p{ASCII}]/gu, char => {
    const code = char.charCodeAt(0)
    if (char.length > 1 || !/\p{Nd}/u.test(char)) return 'x'
    let zero = code
    while (/\p{Nd}/u.test(String.fromCharCode(zero - 1))) zero--
    return String(code - zero)
  })
}

/** Java's trim: cuts all up to the blank. */
function trimControl(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && text.charCodeAt(start) <= 0x20) start++
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--
  return text.slice(start, end)
}

function hexDouble(text: string): number | undefined {
  if (text.length > maxNumberText) return undefined
  const found = /^([+-]?)0[xX]([0-9a-fA-F]*)(?:\.([0-9a-fA-F]*))?[pP]([+-]?[0-9]+)[fFdD]?$/.exec(text)
  if (found === null) return undefined
  const [, sign, before = '', after = '', power] = found
  if (before === '' && after === '') return undefined
  const mantissa = Number(BigInt(`0x${before}${after}`))
  const value = scale(mantissa, Number(power) - 4 * after.length)
  return sign === '-' ? -value : value
}

/** In steps, because a power of two below 2^-1074 is nothing already. */
function scale(mantissa: number, power: number): number {
  let value = mantissa
  let left = Math.max(-20_000, Math.min(20_000, power))
  for (; left < -1000 && value !== 0; left += 1000) value *= 2 ** -1000
  for (; left > 1000 && Number.isFinite(value) && value !== 0; left -= 1000) value *= 2 ** 1000
  return value === 0 ? 0 : value * 2 ** left
}
