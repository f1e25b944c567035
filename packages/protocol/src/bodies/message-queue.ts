import { bean, integer, string, type ValueOfShape } from './shape.ts'

/** One queue of a topic at one broker. As a key of maps its JSON stands bare before the colon. */
export const messageQueueShape = bean({ topic: string, brokerName: string, queueId: integer() })
/** A queue of a topic at a broker. */
export type MessageQueue = ValueOfShape<typeof messageQueueShape>
