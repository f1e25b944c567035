import { isReservedProperty, PropertyName } from '@skua-mq/protocol'
import { AdminError } from '../error.ts'
import type { FoundMessage } from '../message/message.ts'
import type { NewMessage } from '../message/send.ts'
import type { DeadLetter } from './letters.ts'

/** What a dead letter is resent with; what is not given stays as it was. */
export interface LetterChanges {
  readonly body?: Buffer
  /** By RocketMQ's names, TAGS and KEYS among them; an empty value removes. */
  readonly properties?: Readonly<Record<string, string>>
}

/** The new message without its topic. Errors: ARGUMENT for properties that are RocketMQ's own. */
export function changedLetter(letter: DeadLetter, { body, properties = {} }: LetterChanges): Omit<NewMessage, 'topic'> {
  const all: Record<string, string> = { ...letterProperties(letter), ...properties }
  const own = Object.keys(properties).find(name => isReservedProperty(name) && !isNamedByUser(name))
  if (own !== undefined)
    throw new AdminError(
      'ARGUMENT',
      `the property ${own} is RocketMQ's own: only TAGS, KEYS and user properties can be changed`,
    )
  const { [PropertyName.tags]: tags, [PropertyName.keys]: keys, ...others } = all
  const kept = Object.entries(others).filter(([, value]) => value !== '')
  return {
    body: body ?? letter.body,
    tags: tags || undefined,
    keys: keys || undefined,
    properties: Object.fromEntries(kept),
  }
}

const isNamedByUser = (name: string): boolean => name === PropertyName.tags || name === PropertyName.keys

/** What a person may change of a dead letter. */
export function letterProperties(letter: DeadLetter): Record<string, string> {
  const { tags, keys } = letter
  return {
    ...(tags === undefined ? {} : { [PropertyName.tags]: tags }),
    ...(keys.length === 0 ? {} : { [PropertyName.keys]: keys.join(' ') }),
    ...userProperties(letter),
  }
}

/** Properties that a user set: what brokers and clients note is left out. */
export const userProperties = ({ properties }: Pick<FoundMessage, 'properties'>): Record<string, string> =>
  Object.fromEntries(Object.entries(properties).filter(([name]) => !isReservedProperty(name)))
