import {
  getAllMessageRequestMode,
  type MessageQueue,
  messageRequestModesBody,
  type QueryAssignment,
  queryAssignment,
  ResponseCode,
  retryPrefix,
  setMessageRequestMode,
} from '@skua-mq/protocol'
import { LargeAnswer, largeAnswerBytes, ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { Clock } from '@skua-mq/runtime'
import type { RequestModes } from './request-modes.ts'
import { sharePops, strategies } from './strategies.ts'
import type { TopicQueues } from './topic-queues.ts'

export interface AssignmentParts {
  readonly clock: Pick<Clock, 'after'>
  readonly modes: RequestModes
  readonly queues: TopicQueues
  readonly hasTopic: (topic: string) => boolean
  /** Created when autoCreateSubscriptionGroup allows. */
  readonly hasGroup: (group: string) => boolean
  /** Client ids of who is online; undefined for a group with nobody. */
  readonly membersOf: (group: string) => readonly string[] | undefined
  readonly settings: {
    readonly defaultMessageRequestMode: 'PULL' | 'POP'
    readonly defaultPopShareQueueNum: number
    readonly serverLoadBalancerEnable: boolean
  }
}

/** 400 to 402. */
export function assignmentRoutes(parts: AssignmentParts): Route[] {
  const { clock, modes, hasTopic, hasGroup } = parts
  const all = new LargeAnswer(clock, () => messageRequestModesBody.slices(modes.table()))
  return [
    route(queryAssignment, async (_header, { body }) => {
      const asked = queryAssignment.body!.decode(body)
      const { mode, share } = modeOf(parts, asked)
      const queues = await assigned(parts, asked, { mode, share })
      // Without a list the client stays as it is.
      const messageQueueAssignments = queues?.map(messageQueue => ({ messageQueue, mode, attachments: undefined }))
      return ok({}, queryAssignment.replyBody!.encode({ messageQueueAssignments }))
    }),
    route(setMessageRequestMode, async (_header, { body }) => {
      const mode = setMessageRequestMode.body!.decode(body)
      if (mode.topic.startsWith(retryPrefix))
        return refuse(ResponseCode.noPermission, `${mode.topic} is a retry topic: it goes as its group's topics go`)
      if (!hasTopic(mode.topic)) return refuse(ResponseCode.topicNotExist, `topic ${mode.topic} does not exist here`)
      if (!hasGroup(mode.consumerGroup))
        return refuse(
          ResponseCode.subscriptionGroupNotExist,
          `consumer group ${mode.consumerGroup} does not exist here`,
        )
      await modes.put(mode)
      return ok({})
    }),
    route(getAllMessageRequestMode, async () => ok({}, await all.bytes()), { readBytes: largeAnswerBytes }),
  ]
}

interface Mode {
  readonly mode: 'PULL' | 'POP'
  readonly share: number
}

/** The retry topic of a group is pulled, whatever is the default: pops have retry topics of their own. */
function modeOf({ modes, settings }: AssignmentParts, { topic, consumerGroup }: QueryAssignment): Mode {
  const set = modes.find(topic, consumerGroup)
  if (set !== undefined) return { mode: set.mode, share: set.popShareQueueNum }
  if (topic.startsWith(retryPrefix)) return { mode: 'PULL', share: 0 }
  return { mode: settings.defaultMessageRequestMode, share: settings.defaultPopShareQueueNum }
}

/** Undefined where nothing is known, and nothing is to be changed. */
async function assigned(
  { queues: known, membersOf, settings }: AssignmentParts,
  { topic, consumerGroup, clientId, messageModel, strategyName }: QueryAssignment,
  { mode, share }: Mode,
): Promise<readonly MessageQueue[] | undefined> {
  const queues = await known.of(topic)
  if (queues === undefined || messageModel === 'BROADCASTING' || !settings.serverLoadBalancerEnable) return queues
  const strategy = strategies.get(strategyName)
  const members = membersOf(consumerGroup)
  if (strategy === undefined || members === undefined) return undefined
  const sorted = [...new Set(members)].sort()
  if (mode === 'PULL') return strategy(clientId, queues, sorted)
  return sharePops({ clientId, queues, members: sorted, shareQueueNum: share, strategy })
}
