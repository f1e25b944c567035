import { AdminError, type NewMessage } from '@skua-mq/admin'
import { isReservedProperty, PropertyName } from '@skua-mq/protocol'
import { NodeDisk } from '@skua-mq/runtime'
import type { DeadLetter } from './dead-letters.ts'
import { userProperties } from './message-view.ts'

/** What a dead letter is resent with; what is not given stays as it was. */
export interface LetterChanges {
  readonly body?: Buffer
  /** By RocketMQ's names, TAGS and KEYS among them; an empty value removes. */
  readonly properties?: Readonly<Record<string, string>>
}

/** Longest file of a body: four times what brokers take without being told otherwise. */
const maxBodyFileBytes = 16 * 1024 * 1024

/** Errors: ARGUMENT for a file that is not there or too long. */
export function bodyOfFile(path: string): Buffer {
  const disk = new NodeDisk()
  const stat = disk.stat(path)
  if (stat === undefined || stat.directory) throw new AdminError('ARGUMENT', `--body: there is no file ${path}`)
  if (stat.size > maxBodyFileBytes)
    throw new AdminError('ARGUMENT', `--body: ${path} has ${stat.size} bytes, ${maxBodyFileBytes} is the most`)
  return disk.readFile(path)
}

/** The new message without its topic. Errors: ARGUMENT for properties that are RocketMQ's own. */
export function changed(letter: DeadLetter, { body, properties = {} }: LetterChanges): Omit<NewMessage, 'topic'> {
  const all: Record<string, string> = { ...propertiesOf(letter), ...properties }
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

/** What a person may change. */
export function propertiesOf(letter: DeadLetter): Record<string, string> {
  const { tags, keys } = letter
  return {
    ...(tags === undefined ? {} : { [PropertyName.tags]: tags }),
    ...(keys.length === 0 ? {} : { [PropertyName.keys]: keys.join(' ') }),
    ...userProperties(letter),
  }
}
