import { ClientError } from '../error.ts'

/** Without parameters, in lower case. */
export const mediaTypeOf = (contentType: string): string => (contentType.split(';')[0] ?? '').trim().toLowerCase()

export const isJson = (contentType: string): boolean => /^[^/]+\/(json|[^/]+\+json)$/.test(mediaTypeOf(contentType))

const isText = (contentType: string): boolean =>
  /^text\/|^application\/(xml|javascript|x-www-form-urlencoded)$|\+xml$|\+yaml$|^application\/yaml$/.test(
    mediaTypeOf(contentType),
  )

/** The bytes of an event's data. Throws ClientError MESSAGE for what is of no such type. */
export function dataBytes(data: unknown, contentType: string): Uint8Array {
  if (data instanceof Uint8Array) return data
  if (isJson(contentType)) {
    const json = JSON.stringify(data) as string | undefined
    if (json !== undefined) return Buffer.from(json)
  } else if (typeof data === 'string') return Buffer.from(data)
  throw new ClientError('MESSAGE', `data of an event of ${contentType} must be text or bytes: ${typeof data} was given`)
}

/** The value of JSON, the text of text, else the bytes. Throws ClientError MESSAGE for JSON that is none. */
export function dataValue(bytes: Uint8Array, contentType: string | undefined): unknown {
  const buffer = Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength)
  if (contentType === undefined) return buffer
  if (isJson(contentType)) return parsed(buffer, 'the data of the event')
  return isText(contentType) ? buffer.toString('utf8') : buffer
}

export function parsed(bytes: Buffer, what: string): unknown {
  try {
    return JSON.parse(bytes.toString('utf8'))
  } catch (error) {
    throw new ClientError('MESSAGE', `${what} is not JSON`, { cause: error })
  }
}
