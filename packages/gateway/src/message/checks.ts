import { isReservedProperty, isSystemTopic } from '@skua-mq/protocol'
import type { GatewayConfig } from '../options.ts'
import { Refused } from '../refused.ts'
import { Code } from '../v2/code.ts'
import type { MessageValue, SystemPropertiesValue } from '../v2/shared.ts'
import { msOf } from '../v2/times.ts'

const nameText = /^[%|a-zA-Z0-9_-]+$/
const maxTopicLength = 127
const maxGroupLength = 255

/** Control characters, which nobody may have in names and values. */
const hasControls = (text: string): boolean => /\p{Cc}/u.test(text)
const isBlank = (text: string): boolean => text.trim() === ''

/** The name of a topic that clients may use. Throws Refused. */
export function topicOf(resource: { readonly name?: string } | undefined): string {
  const name = resource?.name ?? ''
  if (isBlank(name) || name.length > maxTopicLength || !nameText.test(name) || isSystemTopic(name))
    throw new Refused(Code.illegalTopic, `"${name.slice(0, 200)}" is not the name of a topic for clients`)
  return name
}

/** The name of a consumer group. Throws Refused. */
export function groupOf(resource: { readonly name?: string } | undefined): string {
  const name = resource?.name ?? ''
  if (isBlank(name) || name.length > maxGroupLength || !nameText.test(name))
    throw new Refused(Code.illegalConsumerGroup, `"${name.slice(0, 300)}" is not the name of a consumer group`)
  return name
}

/** The checks of grpc.md 7, in their order. Throws Refused. */
export function checkMessage(message: MessageValue, config: GatewayConfig, nowMs: number): void {
  const { body, userProperties } = message
  const properties = message.systemProperties as SystemPropertiesValue | undefined
  if (body.length === 0) throw new Refused(Code.messageBodyEmpty, 'the body of a message must not be empty')
  if (body.length > config.maxMessageSize)
    throw new Refused(
      Code.messageBodyTooLarge,
      `the body has ${body.length} bytes, maxMessageSize is ${config.maxMessageSize}`,
    )
  checkUserProperties(userProperties, properties, config)
  if (properties === undefined || isBlank(properties.messageId))
    throw new Refused(Code.illegalMessageId, 'message_id must not be blank')
  checkSystemProperties(properties, config, nowMs)
}

function checkUserProperties(
  user: ReadonlyMap<string, string>,
  system: SystemPropertiesValue | undefined,
  { userPropertyMaxNum, maxUserPropertySize }: GatewayConfig,
): void {
  if (user.size > userPropertyMaxNum)
    throw new Refused(
      Code.messagePropertiesTooLarge,
      `${user.size} properties, userPropertyMaxNum is ${userPropertyMaxNum}`,
    )
  let size = Buffer.byteLength(system?.tag ?? '')
  for (const key of system?.keys ?? []) size += Buffer.byteLength(key)
  for (const [name, value] of user) {
    size += Buffer.byteLength(name) + Buffer.byteLength(value)
    if (isReservedProperty(name))
      throw new Refused(Code.illegalMessagePropertyKey, `the property name ${name} has a meaning of its own`)
    if (hasControls(name) || hasControls(value))
      throw new Refused(Code.illegalMessagePropertyKey, 'a property must not hold control characters')
  }
  if (size > maxUserPropertySize)
    throw new Refused(
      Code.messagePropertiesTooLarge,
      `properties of ${size} bytes, maxUserPropertySize is ${maxUserPropertySize}`,
    )
}

function checkSystemProperties(system: SystemPropertiesValue, config: GatewayConfig, nowMs: number): void {
  const { tag, keys, messageGroup, deliveryTimestamp, orphanedTransactionRecoveryDuration: recovery } = system
  if (tag !== undefined && (isBlank(tag) || tag.includes('|') || hasControls(tag)))
    throw new Refused(Code.illegalMessageTag, 'a tag must not be blank, nor hold | or control characters')
  if (keys.some(key => isBlank(key) || hasControls(key)))
    throw new Refused(Code.illegalMessageKey, 'a key must not be blank, nor hold control characters')
  const maxRecoverySeconds = config.maxTransactionRecoverySecond
  if (recovery !== undefined && msOf(recovery) > maxRecoverySeconds * 1000)
    throw new Refused(Code.badRequest, `maxTransactionRecoverySecond is ${maxRecoverySeconds}`)
  if (deliveryTimestamp !== undefined && msOf(deliveryTimestamp) - nowMs > config.maxDelayTimeMills)
    throw new Refused(Code.illegalDeliveryTime, `maxDelayTimeMills is ${config.maxDelayTimeMills}`)
  if (messageGroup === undefined) return
  if (isBlank(messageGroup) || hasControls(messageGroup) || messageGroup.length >= config.maxMessageGroupSize)
    throw new Refused(Code.illegalMessageGroup, `a message group is text shorter than ${config.maxMessageGroupSize}`)
}
