import { createHash } from 'node:crypto'

/** Longest key that is kept as it is: ids of clients are 32 characters long, and names of topics 127. */
const maxKeyLength = 255

/**
 * What is remembered of a recalled message (`topic+id`) while its slot lasts: producers make ids as long as properties may be, and recall
 * as many messages of one slot as they like. Of a long one the topic and a digest.
 */
export function recallKey(key: string): string {
  if (key.length <= maxKeyLength) return key
  const digest = createHash('sha256').update(key).digest('base64')
  const topicEnd = key.indexOf('+')
  return topicEnd < 0 || topicEnd > maxKeyLength ? digest : `${key.slice(0, topicEnd)}+ ${digest}`
}
