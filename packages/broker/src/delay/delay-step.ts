import { PropertyName, parseProperties, printProperties, ResponseCode, scheduleTopic } from '@skua-mq/protocol'
import type { PropertyRewrite } from '../send/property-rewrite.ts'
import type { SendStep } from '../send/send-step.ts'

/**
 * A message with DELAY > 0 is kept in the schedule topic, level n in queue n - 1 (store.md 7.1), until its time has come.
 * Levels above the highest count as the highest.
 */
export function delayStep(levels: readonly number[]): SendStep {
  return ({ view, draft, properties }) => {
    if (properties.delayLevel <= 0) return undefined
    if (view.batch)
      return { code: ResponseCode.messageIllegal, remark: 'a batch cannot be delayed: send its messages one by one' }
    const level = Math.min(properties.delayLevel, levels.length)
    if (level !== properties.delayLevel) setDelay(properties, level)
    properties.add(PropertyName.realTopic, draft.topic)
    properties.add(PropertyName.realQueueId, String(draft.queueId))
    draft.topic = scheduleTopic
    draft.queueId = level - 1
    return undefined
  }
}

/** The same for a message whose properties are a map, as those are which the broker stores anew itself. */
export function delayTarget(
  target: { topic: string; queueId: number },
  properties: Map<string, string>,
  levels: readonly number[],
): { topic: string; queueId: number } {
  const wanted = Number.parseInt(properties.get(PropertyName.delayTimeLevel) ?? '', 10)
  if (!(wanted > 0)) return target
  const level = Math.min(wanted, levels.length)
  properties.set(PropertyName.delayTimeLevel, String(level))
  properties.set(PropertyName.realTopic, target.topic)
  properties.set(PropertyName.realQueueId, String(target.queueId))
  return { topic: scheduleTopic, queueId: level - 1 }
}

/** Rare: the level has to stand in the message as it is meant, since whoever rebuilds the queue reads it there. */
function setDelay(properties: PropertyRewrite, level: number): void {
  const { bytes } = properties
  const map = parseProperties(bytes.toString('utf8', 0, properties.length))
  map.set(PropertyName.delayTimeLevel, String(level))
  properties.length = bytes.write(printProperties(map), 0, 'utf8')
}
