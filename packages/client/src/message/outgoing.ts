import { isPropertyText, isReservedProperty, type Properties, PropertyName, TransactionKind } from '@skua-mq/protocol'
import { ClientError } from '../error.ts'
import { checkSendTopic } from '../name/names.ts'
import { wrapName } from '../name/namespace.ts'
import { checkOptions, type OptionRules } from '../option-rules.ts'
import type { Message } from './message.ts'

/** A message on its way out: names as on the wire, body as bytes. One per send, kept through all tries. */
export interface Draft {
  readonly topic: string
  readonly body: Uint8Array
  readonly properties: Properties
  readonly flag: number
  sysFlag: number
  /** The unique id, which stays the same through all tries, so that duplicates can be told. */
  readonly msgId: string
  /** Bytes are a batch (remoting.md 14.5). */
  readonly batch: boolean
}

export interface DraftRules {
  readonly namespace: string
  readonly maxMessageSize: number
  /** Default 18. */
  readonly maxDelayLevel?: number
  newId(): string
}

/** What is of the wrong type is told by the checks of its own. */
const messageRules: OptionRules<Message> = {
  topic: 'any',
  body: 'any',
  tag: 'any',
  keys: 'any',
  properties: 'any',
  delayLevel: 'any',
  delayMs: 'any',
  deliverAtMs: 'any',
  flag: 'any',
  waitStoreMsgOk: 'any',
  checkImmunityTimeInSeconds: 'any',
}

/** What belongs to the call, beside the message. */
const placesOfOptions = Object.fromEntries(
  ['orderKey', 'queue', 'select', 'timeoutMs', 'signal', 'retryFor'].map(name => [
    name,
    `it is given beside the message, as in send(message, { ${name} })`,
  ]),
)

/** Throws ClientError ARGUMENT for what is no message at all: before its body is looked at. */
export function checkMessage(message: Message<unknown>): void {
  if (typeof message !== 'object' || message === null) {
    const given = typeof message === 'string' ? `"${message}"` : String(message)
    throw new ClientError('ARGUMENT', `a message is an object, as { topic, body }: ${given} was given`)
  }
  checkOptions('a message', message, messageRules, placesOfOptions)
  if (message.topic === undefined) throw new ClientError('ARGUMENT', 'a message needs a topic')
  checkText('topic', message.topic)
  if (message.body === undefined || message.body === null) throw new ClientError('ARGUMENT', 'a message needs a body')
}

/** Turns a message, of which `checkMessage` has no complaint, into a draft. Throws ClientError ARGUMENT or MESSAGE. */
export function draftOf(message: Message<unknown>, body: Uint8Array, rules: DraftRules): Draft {
  checkFlag(message.flag)
  const topic = wrapName(rules.namespace, message.topic)
  checkSendTopic(topic)
  checkBody(body, rules.maxMessageSize)
  checkLevel(message.delayLevel, rules.maxDelayLevel ?? 18)
  const properties = propertiesOf(message)
  const msgId = rules.newId()
  properties.set(PropertyName.uniqueKey, msgId)
  if (rules.namespace !== '') properties.set(PropertyName.instanceId, rules.namespace)
  return { topic, body, properties, flag: message.flag ?? 0, sysFlag: 0, msgId, batch: false }
}

function checkBody(body: Uint8Array, max: number): void {
  if (body.length === 0) throw new ClientError('ARGUMENT', 'the body is empty: RocketMQ has no empty messages')
  if (body.length > max) {
    throw new ClientError('ARGUMENT', `the body has ${body.length} bytes, and maxMessageSize is ${max}`)
  }
}

function propertiesOf(message: Message<unknown>): Properties {
  const properties: Properties = new Map()
  for (const [name, value] of Object.entries(message.properties ?? {})) {
    if (isReservedProperty(name)) {
      throw new ClientError('ARGUMENT', `the property name ${name} has a meaning of its own: take another one`)
    }
    checkText(`property "${name}"`, value)
    if (name.trim() === '' || value.trim() === '') {
      throw new ClientError('ARGUMENT', `property "${name}": neither name nor value may be blank`)
    }
    setText(properties, name, value)
  }
  const keys = keysOf(message.keys)
  if (message.tag !== undefined) checkText('tag', message.tag)
  if (keys !== undefined && keys !== '') setText(properties, PropertyName.keys, keys)
  if (message.tag !== undefined && message.tag !== '') setText(properties, PropertyName.tags, message.tag)
  properties.set(PropertyName.waitStoreMsgOk, String(message.waitStoreMsgOk ?? true))
  setDelay(properties, message)
  return properties
}

/** Brokers take the text apart at blanks. */
function keysOf(given: Message['keys']): string | undefined {
  if (given === undefined) return undefined
  const keys = Array.isArray(given) ? (given as readonly string[]) : [given as string]
  for (const key of keys) {
    checkText('keys', key)
    if (/\s/.test(key)) throw new ClientError('ARGUMENT', `the key "${key}" holds a blank: give several keys as a list`)
  }
  return keys.join(' ')
}

function checkLevel(level: number | undefined, max: number): void {
  if (level === undefined || !(level > max)) return
  const message = `delayLevel ${level} is above ${max}: 18 levels stand for 1s to 2h; for other times give delayMs, and where brokers have more levels maxDelayLevel`
  throw new ClientError('ARGUMENT', message)
}

/** Types are checked by compilers only where there is one. */
function checkText(what: string, value: unknown): void {
  if (typeof value === 'string') return
  const given = value === null ? 'null' : typeof value === 'object' ? 'an object' : `${typeof value} ${String(value)}`
  throw new ClientError('ARGUMENT', `${what} must be a text: ${given} was given`)
}

function checkFlag(flag: number | undefined): void {
  if (flag === undefined || flag === (flag | 0)) return
  throw new ClientError('ARGUMENT', `flag must be a whole number of 32 bits: ${flag}`)
}

function setDelay(properties: Properties, message: Message<unknown>): void {
  const { delayLevel, delayMs, deliverAtMs } = message
  if ([delayLevel, delayMs, deliverAtMs].filter(given => given !== undefined).length > 1) {
    throw new ClientError('ARGUMENT', 'give one of delayLevel, delayMs and deliverAtMs')
  }
  if (delayLevel !== undefined) setCount(properties, PropertyName.delayTimeLevel, { delayLevel })
  if (delayMs !== undefined) setCount(properties, PropertyName.timerDelayMs, { delayMs })
  if (deliverAtMs !== undefined) setCount(properties, PropertyName.timerDeliverMs, { deliverAtMs })
  const { checkImmunityTimeInSeconds } = message
  if (checkImmunityTimeInSeconds !== undefined)
    setCount(properties, PropertyName.checkImmunityTimeInSeconds, { checkImmunityTimeInSeconds })
}

function setCount(properties: Properties, name: string, given: Readonly<Record<string, number>>): void {
  const [option, value] = Object.entries(given)[0]!
  if (!Number.isSafeInteger(value) || value < 0)
    throw new ClientError('ARGUMENT', `${option} must be a whole number: ${value}`)
  properties.set(name, String(value))
}

function setText(properties: Properties, name: string, value: string): void {
  if (!isPropertyText(name) || !isPropertyText(value)) {
    throw new ClientError('ARGUMENT', `property ${JSON.stringify(name)} holds the characters \\u0001 or \\u0002`)
  }
  properties.set(name, value)
}

/**
 * Turns a draft into a half message (remoting.md 12). Java's clients drop its delay level, and nobody is told; a delay to the
 * millisecond counts from the commit on. Throws ClientError ARGUMENT.
 */
export function makeHalf(draft: Draft, producerGroup: string): void {
  if (draft.properties.has(PropertyName.delayTimeLevel)) {
    const why = 'a transaction takes no delayLevel: give delayMs or deliverAtMs, which brokers of 5.x and Skua know'
    throw new ClientError('ARGUMENT', why)
  }
  draft.properties.set(PropertyName.transactionPrepared, 'true')
  draft.properties.set(PropertyName.producerGroup, producerGroup)
  draft.sysFlag |= TransactionKind.prepared
}
