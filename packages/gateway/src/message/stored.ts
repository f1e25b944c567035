import { isPropertyText, type Properties, PropertyName, SysFlag, TransactionKind } from '@skua-mq/protocol'
import { Refused } from '../refused.ts'
import { Code } from '../v2/code.ts'
import { Encoding, MessageType } from '../v2/enums.ts'
import type { MessageValue, SystemPropertiesValue } from '../v2/shared.ts'
import { msOf } from '../v2/times.ts'

/** A message as brokers take it. */
export interface Outgoing {
  readonly body: Uint8Array
  readonly properties: Properties
  readonly sysFlag: number
  readonly bornAtMs: number
  readonly messageId: string
  readonly type: MessageType
}

/** The stored form of a checked message (grpc.md 7). Throws Refused. */
export function outgoing(
  message: MessageValue,
  { topic, nowMs, peer }: { topic: string; nowMs: number; peer: string },
): Outgoing {
  const system = message.systemProperties as SystemPropertiesValue
  const properties: Properties = new Map(message.userProperties)
  const bornAtMs = system.bornTimestamp === undefined ? nowMs : msOf(system.bornTimestamp)
  const set = (name: string, value: string | undefined) => {
    if (value !== undefined && value !== '') properties.set(name, value)
  }
  set(PropertyName.uniqueKey, system.messageId)
  // A producer of gRPC has no group: its topic stands for it, also when the broker looks for one to ask.
  set(PropertyName.producerGroup, topic)
  set(PropertyName.tags, system.tag)
  set(PropertyName.keys, system.keys.join(' '))
  set(PropertyName.bornTimestamp, String(bornAtMs))
  set(PropertyName.bornHost, system.bornHost || peer)
  set(PropertyName.shardingKey, system.messageGroup)
  set(PropertyName.traceContext, system.traceContext)
  const isHalf = system.messageType === MessageType.transaction
  if (isHalf) set(PropertyName.transactionPrepared, 'true')
  const recovery = system.orphanedTransactionRecoveryDuration
  if (isHalf && recovery !== undefined)
    set(PropertyName.checkImmunityTimeInSeconds, String(Math.ceil(msOf(recovery) / 1000)))
  if (system.deliveryTimestamp !== undefined) set(PropertyName.timerDeliverMs, String(msOf(system.deliveryTimestamp)))
  for (const [name, value] of properties)
    if (!isPropertyText(name) || !isPropertyText(value))
      throw new Refused(Code.illegalMessagePropertyKey, 'a property must not hold control characters')
  const compressed = system.bodyEncoding === Encoding.gzip ? SysFlag.compressed : 0
  const sysFlag = compressed | (isHalf ? TransactionKind.prepared : 0)
  return { body: message.body, properties, sysFlag, bornAtMs, messageId: system.messageId, type: typeOf(properties) }
}

/** By the properties alone (grpc.md 4, 7). */
export function typeOf(properties: ReadonlyMap<string, string>): MessageType {
  const has = (name: string) => properties.has(name)
  if (properties.get(PropertyName.transactionPrepared) === 'true') return MessageType.transaction
  const { delayTimeLevel, timerDeliverMs, timerDelayMs, timerDelaySeconds } = PropertyName
  if ([delayTimeLevel, timerDeliverMs, timerDelayMs, timerDelaySeconds].some(has)) return MessageType.delay
  return has(PropertyName.shardingKey) ? MessageType.fifo : MessageType.normal
}
