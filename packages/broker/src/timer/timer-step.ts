import {
  halfTopic,
  PropertyName,
  parseProperties,
  printProperties,
  ResponseCode,
  wheelTimerTopic,
} from '@skua-mq/protocol'
import type { PropertyRewrite } from '../send/property-rewrite.ts'
import type { SendStep } from '../send/send-step.ts'
import type { SendStop } from '../send/send-stop.ts'
import { hasWish, noteTarget, type TimerRules, timerWish, withoutWish } from './timer-wish.ts'

/**
 * A message with a time of delivery is kept in the timer's topic until then. A delay level goes before it, and a half
 * message waits for its verdict first.
 */
export function timerStep(rules: TimerRules, ensureTopic: () => void): SendStep {
  return ({ view, draft, properties }) => {
    if (!properties.asks) return undefined
    const map = read(properties)
    if (properties.delayLevel > 0) {
      if (hasWish(map)) write(properties, withoutWish(map))
      return undefined
    }
    const outMs = timerWish(map, rules)
    if (outMs === undefined) return undefined
    if (typeof outMs !== 'number') return outMs
    if (view.batch)
      return {
        code: ResponseCode.messageIllegal,
        remark: 'a batch has no time of delivery: send its messages one by one',
      }
    properties.isTimer = true
    if (draft.topic === halfTopic) return undefined
    properties.recallKey = map.get(PropertyName.uniqueKey) ?? ''
    properties.outMs = outMs
    for (const [name, value] of noteTarget(draft, outMs)) properties.add(name, value)
    ensureTopic()
    draft.topic = wheelTimerTopic
    draft.queueId = 0
    return undefined
  }
}

/** The same for a message whose properties are a map: where it goes, or why it cannot be stored. */
export function timerTarget(
  target: { readonly topic: string; readonly queueId: number },
  properties: Map<string, string>,
  { rules, ensureTopic }: { rules: TimerRules; ensureTopic: () => void },
): { topic: string; queueId: number } | SendStop {
  const outMs = timerWish(properties, rules)
  if (outMs === undefined) return target
  if (typeof outMs !== 'number') return outMs
  for (const [name, value] of noteTarget(target, outMs)) properties.set(name, value)
  ensureTopic()
  return { topic: wheelTimerTopic, queueId: 0 }
}

const read = ({ bytes, length }: PropertyRewrite): Map<string, string> =>
  parseProperties(bytes.toString('utf8', 0, length))

function write(properties: PropertyRewrite, map: Map<string, string>): void {
  properties.length = properties.bytes.write(printProperties(map), 0, 'utf8')
}
