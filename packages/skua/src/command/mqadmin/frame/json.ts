/** A result as JSON: bodies of messages as text, or as base64 where they are none; what is not told is null. */
export const jsonText = (value: unknown, indent = 2): string =>
  JSON.stringify(plain(value), undefined, indent) ?? 'null'

function plain(value: unknown): unknown {
  if (Buffer.isBuffer(value)) return bodyText(value)
  if (value instanceof Map) return Object.fromEntries([...value].map(([key, member]) => [String(key), plain(member)]))
  if (typeof value === 'bigint') return String(value)
  if (Array.isArray(value)) return value.map(plain)
  if (typeof value !== 'object' || value === null) return value
  return Object.fromEntries(Object.entries(value).map(([key, member]) => [key, plain(member)]))
}

/** UTF-8, or what it is not as base64 with a word in front. */
export function bodyText(body: Buffer): string {
  const text = body.toString('utf8')
  return text.includes('\ufffd') && !Buffer.from(text).equals(body) ? `base64:${body.toString('base64')}` : text
}
