import { PropertyName, ResponseCode } from '@skua-mq/protocol'
import type { SendStop } from './send-stop.ts'

/** What ONS clients call an exact time of delivery. */
const startDeliverTime = '__STARTDELIVERTIME'
const priority = '_SYS_MSG_PRIORITY_'
const liteTopic = '__LITE_TOPIC'

/** Names that ask for something out of the ordinary; each is looked at by `unmetWish`, or by the timers. */
export const wishNames: readonly string[] = [
  PropertyName.timerDelaySeconds,
  PropertyName.timerDelayMs,
  PropertyName.timerDeliverMs,
  PropertyName.innerMultiDispatch,
  startDeliverTime,
  priority,
  liteTopic,
]

/** The level of a DELAY as Java reads it: a sign may stand before the digits; undefined for what is no int. */
export function delayLevelOf(text: string): number | undefined {
  if (text === '') return 0
  const level = /^[+-]?\d{1,20}$/.test(text) ? Number(text) : Number.NaN
  return level >= -(2 ** 31) && level < 2 ** 31 ? level : undefined
}

/**
 * Why a message cannot be taken as its sender wants it, undefined when it can: nothing is taken and the wish dropped.
 * A delay level goes before exact times, and times that have passed ask for nothing, both as in RocketMQ 5. What RocketMQ
 * calls a timer is not looked at here (timer/timer-step.ts).
 */
export function unmetWish(properties: ReadonlyMap<string, string>, nowMs: number): SendStop | undefined {
  const delay = properties.get(PropertyName.delayTimeLevel) ?? ''
  const level = delayLevelOf(delay)
  if (level === undefined)
    return {
      code: ResponseCode.systemError,
      remark: `DELAY is "${delay}", which is no delay level: a number is wanted`,
    }
  if (level <= 0) {
    const stop = unmetTime(properties, nowMs)
    if (stop !== undefined) return stop
  }
  if (properties.has(PropertyName.innerMultiDispatch))
    return illegal(`${PropertyName.innerMultiDispatch} asks for further queues, which this broker does not have`)
  if (Number(properties.get(priority) ?? -1) !== -1)
    return illegal(`${priority} asks for a priority, and this broker has none`)
  if (properties.has(liteTopic)) return illegal(`${liteTopic} names a lite topic, and this broker has none`)
  return undefined
}

function unmetTime(properties: ReadonlyMap<string, string>, nowMs: number): SendStop | undefined {
  // It comes out of another broker's timer: its time has come there.
  if (properties.has(PropertyName.timerOutMs)) return undefined
  const text = properties.get(startDeliverTime)
  if (text === undefined) return undefined
  if (!/^[+-]?\d{1,19}$/.test(text)) return illegal(`${startDeliverTime} is "${text}", which is no time`)
  if (Number(text) <= nowMs) return undefined
  return {
    code: ResponseCode.systemError,
    remark: `${startDeliverTime} asks for a time of delivery in the way of ONS, which this broker does not know: ${PropertyName.timerDeliverMs} is RocketMQ’s`,
  }
}

const illegal = (remark: string): SendStop => ({ code: ResponseCode.messageIllegal, remark })
