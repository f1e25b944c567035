import type { SubscriptionData } from '../bodies/subscription.ts'
import { javaHash } from '../message/java-hash.ts'

/** Everything: what a consumer that does not choose writes. */
export const subAll = '*'

/** What a tag expression lets through. */
export type TagFilter =
  | { readonly all: true }
  | {
      readonly all: false
      /** In the order in which they are written. */
      readonly tags: ReadonlySet<string>
      /** Their Java hashes: what a broker compares, since a consume queue holds no more. */
      readonly codes: ReadonlySet<number>
    }

/**
 * Parses `A || B`; `*`, an empty text and none at all mean everything. Undefined for a text of bars only, which Java refuses. A text of
 * blanks and bars names no tag, and lets nothing through, as in Java.
 */
export function parseTags(expression: string | undefined): TagFilter | undefined {
  if (expression === undefined || expression === '' || expression === subAll) return { all: true }
  const parts = expression.split('||')
  if (parts.every(part => part === '')) return undefined
  const tags = new Set(parts.map(trimAscii).filter(tag => tag !== ''))
  return { all: false, tags, codes: new Set([...tags].map(javaHash)) }
}

/** Java's trim: cuts every character up to the blank, and no other white space. */
function trimAscii(text: string): string {
  let start = 0
  let end = text.length
  while (start < end && text.charCodeAt(start) <= 0x20) start++
  while (end > start && text.charCodeAt(end - 1) <= 0x20) end--
  return text.slice(start, end)
}

/** At the broker: hashes only, so that a message with an unwanted tag of the same hash passes. */
export function matchesTagsCode(filter: TagFilter, tagsCode: number): boolean {
  return filter.all || filter.codes.has(tagsCode)
}

/** At the consumer: the text. A message without a tag passes only where everything does. */
export function matchesTag(filter: TagFilter, tag: string | undefined): boolean {
  return filter.all || (tag !== undefined && filter.tags.has(tag))
}

/** Expression types of a subscription. */
export const ExpressionType = { tag: 'TAG', sql92: 'SQL92' } as const

/** An absent or empty type means TAG. */
export function isTagType(type: string | undefined): boolean {
  return type === undefined || type === '' || type === ExpressionType.tag
}

/**
 * The subscription as a client sends it in its heartbeat (remoting.md 11). Undefined for a tag expression that
 * `parseTags` refuses, and for any other type without an expression. Its text is not compiled here.
 */
export function subscriptionData(wish: {
  topic: string
  expression: string | undefined
  /** Default TAG. */
  type?: string
  /** Milliseconds since 1970 when the consumer last changed its mind. */
  subVersion: number
}): SubscriptionData | undefined {
  const { topic, subVersion } = wish
  const plain = { classFilterMode: false, topic, tagsSet: [], codeSet: [], subVersion }
  if (!isTagType(wish.type)) {
    if (wish.expression === undefined || wish.expression === '') return undefined
    return { ...plain, subString: wish.expression, expressionType: wish.type as string }
  }
  const filter = parseTags(wish.expression)
  if (filter === undefined) return undefined
  if (filter.all) return { ...plain, subString: subAll, expressionType: ExpressionType.tag }
  return {
    ...plain,
    subString: wish.expression as string,
    tagsSet: [...filter.tags],
    codeSet: [...filter.codes],
    expressionType: ExpressionType.tag,
  }
}
