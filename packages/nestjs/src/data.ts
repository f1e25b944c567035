/** JSON; text that is none stays text. Bytes that are no text are left as they are. */
export function decodeData(body: Buffer): unknown {
  const text = body.toString('utf8')
  if (Buffer.byteLength(text) !== body.length || text.includes('\ufffd')) return body
  try {
    return JSON.parse(text)
  } catch {
    return text
  }
}

/** Text and bytes go as they are, everything else as JSON. */
export function encodeData(data: unknown): string | Uint8Array {
  if (typeof data === 'string' || data instanceof Uint8Array) return data
  return JSON.stringify(data ?? null)
}

/** What a handler of a request has answered. */
export interface Answer {
  readonly response?: unknown
  readonly err?: unknown
}
