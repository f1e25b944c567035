import { ClientError } from '@skua-mq/client'

/** What `@EventPattern` and `@MessagePattern` name, and a client sends to. */
export interface SkuaPattern {
  readonly topic: string
  /** For a handler `'A || B'`, default all; for a client the tag of its messages. */
  readonly tag?: string | undefined
}

/**
 * Reads a pattern as Nest hands it on: `'Orders'`, `'Orders:paid || refunded'`, or the JSON of `{ topic, tag }`. Errors: ClientError
 * ARGUMENT for anything else.
 */
export function readPattern(pattern: unknown): SkuaPattern {
  const found = typeof pattern === 'string' ? ofText(pattern) : (pattern as SkuaPattern)
  const isTag = found?.tag === undefined || typeof found.tag === 'string'
  if (typeof found?.topic === 'string' && found.topic !== '' && isTag) return found
  throw new ClientError(
    'ARGUMENT',
    `${JSON.stringify(pattern)} is no pattern: 'Topic', 'Topic:tag', or { topic, tag } is one`,
  )
}

function ofText(text: string): SkuaPattern | undefined {
  if (text.startsWith('{')) {
    try {
      return JSON.parse(text) as SkuaPattern
    } catch {
      return undefined
    }
  }
  const colon = text.indexOf(':')
  return colon < 0 ? { topic: text } : { topic: text.slice(0, colon), tag: text.slice(colon + 1).trim() }
}

/** The tags of an expression; undefined: all messages. */
export function tagsOf({ tag }: SkuaPattern): ReadonlySet<string> | undefined {
  if (tag === undefined || tag === '' || tag === '*') return undefined
  return new Set(tag.split('||').map(each => each.trim()))
}
