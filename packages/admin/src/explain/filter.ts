import {
  compileSql,
  ExpressionType,
  isTagType,
  matchesTag,
  parseTags,
  SqlSyntaxError,
  type SubscriptionData,
} from '@skua-mq/protocol'
import type { FoundMessage } from '../message/message.ts'

/** Which filter keeps a message from a group; undefined where it lets it through, or cannot be judged from here. */
export function keptBackBy(subscription: SubscriptionData, message: FoundMessage): string | undefined {
  const { expressionType: type, subString, classFilterMode } = subscription
  if (classFilterMode) return undefined
  if (isTagType(type)) {
    const filter = parseTags(subString)
    if (filter === undefined || matchesTag(filter, message.tags)) return undefined
    return `it subscribes to the tags "${subString}", and the message has ${tagText(message)}`
  }
  if (type !== ExpressionType.sql92 || passesSql(subString, message)) return undefined
  return `its SQL92 filter "${subString}" is not true for the properties of the message`
}

const tagText = ({ tags }: FoundMessage): string => (tags === undefined ? 'no tag' : `the tag "${tags}"`)

function passesSql(expression: string, { properties }: FoundMessage): boolean {
  try {
    return compileSql(expression).evaluate(name => properties[name]) === true
  } catch (error) {
    // A newer broker may know more of the language.
    if (error instanceof SqlSyntaxError) return true
    throw error
  }
}
