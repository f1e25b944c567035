import { PropertyName, ResponseCode } from '@skua-mq/protocol'
import type { SendStop } from '../send/send-stop.ts'

/** Properties by which a sender asks for a time of delivery of its own, the first that is there counts. */
const wishNames = [PropertyName.timerDelaySeconds, PropertyName.timerDelayMs, PropertyName.timerDeliverMs] as const

export interface TimerRules {
  readonly now: () => number
  /** timerWheelEnable */
  readonly isOn: boolean
  /** timerPrecisionMs */
  readonly precisionMs: number
  /** timerMaxDelaySec, in milliseconds */
  readonly maxDelayMs: () => number
  /** Why no more timers are taken for a slot, or undefined. */
  readonly congested: (outMs: number) => SendStop | undefined
}

/** The properties of a wish without those. */
export function withoutWish(properties: Map<string, string>): Map<string, string> {
  for (const name of wishNames) properties.delete(name)
  return properties
}

export const hasWish = (properties: ReadonlyMap<string, string>): boolean =>
  wishNames.some(name => properties.has(name))

/**
 * When a message is to be delivered by its properties; NaN where they do not say a time. What a delay is counted from is
 * `fromMs`.
 */
export function deliverAtOf(find: (name: string) => string | undefined, fromMs: number): number {
  for (const name of wishNames) {
    const text = find(name)
    if (text === undefined) continue
    if (!/^[+-]?\d{1,15}$/.test(text)) return Number.NaN
    if (name === PropertyName.timerDeliverMs) return Number(text)
    return fromMs + Number(text) * (name === PropertyName.timerDelaySeconds ? 1000 : 1)
  }
  return Number.NaN
}

/**
 * RocketMQ's slot of a time of delivery, TIMER_OUT_MS: it lies wholly before it, so that a broker which delivers at its end
 * is never early.
 */
export const outOf = (deliverMs: number, precisionMs: number): number =>
  Math.ceil(deliverMs / precisionMs - 1) * precisionMs

/**
 * What becomes of a message that has a wish and no delay level: the slot in which it waits, undefined where it is stored at
 * once since its time has passed, or why it is not taken.
 */
export function timerWish(properties: ReadonlyMap<string, string>, rules: TimerRules): number | SendStop | undefined {
  // It comes out of a timer.
  if (properties.has(PropertyName.timerOutMs) || !hasWish(properties)) return undefined
  const nowMs = rules.now()
  const deliverMs = deliverAtOf(name => properties.get(name), nowMs)
  if (!rules.isOn && !(deliverMs <= nowMs))
    return {
      code: ResponseCode.systemError,
      remark: 'a time of delivery is asked for, and timerWheelEnable is false: only delay levels (DELAY)',
    }
  if (Number.isNaN(deliverMs)) return illegal(`${wishText(properties)} is no time`)
  if (deliverMs <= nowMs) {
    if (properties.has(PropertyName.timerDelUniqueKey)) return illegal('it is too late to recall the message')
    return undefined
  }
  const maxMs = rules.maxDelayMs()
  if (deliverMs - nowMs > maxMs)
    return illegal(`${wishText(properties)} is in ${deliverMs - nowMs} ms: more than timerMaxDelaySec, ${maxMs} ms`)
  const outMs = outOf(deliverMs, rules.precisionMs)
  return rules.congested(outMs) ?? outMs
}

/** Notes where a message belongs which waits in a slot. */
export function noteTarget(target: { topic: string; queueId: number }, outMs: number): [string, string][] {
  return [
    [PropertyName.timerOutMs, String(outMs)],
    [PropertyName.realTopic, target.topic],
    [PropertyName.realQueueId, String(target.queueId)],
  ]
}

function wishText(properties: ReadonlyMap<string, string>): string {
  const name = wishNames.find(each => properties.has(each)) ?? ''
  return `${name} "${properties.get(name)}"`
}

const illegal = (remark: string): SendStop => ({ code: ResponseCode.messageIllegal, remark })
