import process from 'node:process'
import { templateTopic } from '@skua-mq/protocol'
import type { Clock, EventLevel } from '@skua-mq/runtime'
import { ClientError, reasonOf } from './error.ts'
import { type ClientEventMap, type ClientEventName, ClientEvents } from './events.ts'
import type { ClientSettings } from './options.ts'

/** What a logger of pino's shape has: fields first, then the text. */
export interface ClientLogger {
  debug(fields: object, text: string): void
  info(fields: object, text: string): void
  warn(fields: object, text: string): void
  error(fields: object, text: string): void
}

/** A cause that did not come back for so long is news when it does. */
const forgetMs = 60_000
/** Causes that are remembered; the oldest are forgotten first. */
const maxSubjects = 1_000

type Sentences = {
  readonly [N in ClientEventName]: (fields: ClientEventMap[N]) => readonly [about: string, text: string]
}

const queueOf = ({ topic, brokerName, queueId }: { topic: string; brokerName: string; queueId: number }): string =>
  queueId < 0 ? `${topic} at ${brokerName}` : `queue ${queueId} of ${topic} at ${brokerName}`

/** What each event is about, and a sentence that says what to do. */
const sentences: Sentences = {
  // The template of topics is asked for by every producer, and means nothing to its user.
  routeRefreshFailed: ({ topic, error }) => [
    '',
    `${topic === templateTopic ? 'routes' : `the route of ${topic}`} could not be asked for: ${reasonOf(error)}`,
  ],
  heartbeatFailed: ({ address, error }) => [
    address,
    `broker ${address} does not take our heartbeat: ${reasonOf(error)}`,
  ],
  brokerBack: ({ address }) => [address, `broker ${address} takes our heartbeats again`],
  queuesChanged: ({ group, topic, queues }) => [
    `${group} ${topic}`,
    `group ${group}: ${queues.length} queues of ${topic} are ours`,
  ],
  noQueue: ({ group, topic, members, queues }) => [
    `${group} ${topic}`,
    `group ${group} has ${members} members for the ${queues} queues of ${topic}, and this one gets none: give the topic more queues, or consume with consumeMode POP, whose members share queues`,
  ],
  topicUnknown: ({ group, topic, error }) => [
    `${group} ${topic}`,
    `group ${group} waits for topic ${topic}: ${error.message}`,
  ],
  rebalanceFailed: ({ group, topic, error }) => [
    `${group} ${topic}`,
    `group ${group} could not share out ${topic}: ${reasonOf(error)}`,
  ],
  pullFailed: ({ group, queue, error }) => [
    `${group} ${queue.brokerName}`,
    `group ${group} cannot pull ${queueOf(queue)}: ${reasonOf(error)}`,
  ],
  offsetIllegal: ({ group, queue, from, to }) => [
    `${group} ${queueOf(queue)}`,
    `group ${group}: ${queueOf(queue)} has no message at offset ${from} (any more), and goes on at ${to}`,
  ],
  backlogSkipped: ({ group, queue, from, to, why }) => [
    `${group} ${queueOf(queue)}`,
    `group ${group} skips ${to - from} messages of ${queueOf(queue)}, as its options say (${why})`,
  ],
  offsetCommitFailed: ({ group, error }) => [
    group,
    `group ${group} cannot write its offsets down: ${reasonOf(error)}; messages come again after a restart`,
  ],
  offsetsReset: ({ group, topic, queues }) => [
    `${group} ${topic}`,
    `an operator moved the offsets of ${queues} queues of ${topic} for group ${group}`,
  ],
  handlerFailed: ({ group, topic, msgIds, error }) => [
    `${group} ${topic}`,
    `the handler of group ${group} failed for ${msgIds.length === 1 ? `message ${msgIds[0]}` : `${msgIds.length} messages`} of ${topic}, which ${msgIds.length === 1 ? 'comes' : 'come'} again until the tries are over: ${reasonOf(error)}`,
  ],
  handlerBlocked: ({ group, handler, blockedMs }) => [
    `${group} ${handler}`,
    `${handler} of group ${group} held the event loop for ${Math.round(blockedMs)} ms: nothing else ran meanwhile, heartbeats included`,
  ],
  sendBackFailed: ({ group, msgId, error }) => [
    group,
    `message ${msgId} could not be given back for group ${group}: ${reasonOf(error)}; it is tried again here`,
  ],
  ackFailed: ({ group, msgId, error }) => [
    group,
    `message ${msgId} was consumed by group ${group} and could not be acknowledged: ${reasonOf(error)}; it comes again`,
  ],
  deadLetter: ({ group, topic, msgId, tries }) => [
    `${group} ${topic}`,
    `message ${msgId} of ${topic} is a dead letter of group ${group} after ${tries} tries: skua dlq show ${group} ${msgId}`,
  ],
  messageDropped: ({ group, msgId, why }) => [
    `${group} ${why}`,
    `message ${msgId} is not tried again for group ${group}: ${why}`,
  ],
  messageUnreadable: ({ group, queue, queueOffset, error }) => [
    `${group} ${reasonOf(error)}`,
    `group ${group} cannot read the message at offset ${queueOffset} of ${queueOf(queue)}: ${reasonOf(error)}`,
  ],
  consumeTimeout: ({ group, topic, msgId }) => [
    `${group} ${topic}`,
    `message ${msgId} of ${topic} ran longer than consumeTimeout of group ${group}, and was given back`,
  ],
  transactionCheckFailed: ({ group, msgId, error }) => [
    group,
    `nobody could say what became of the transaction of message ${msgId} (group ${group}): ${reasonOf(error)}`,
  ],
  traceDropped: ({ topic, records, error }) => [
    topic,
    `${records} traces are lost: ${error === undefined ? `more came than ${topic} could take` : reasonOf(error)}`,
  ],
  noHandler: ({ group }) => [
    group,
    `the consumer of group ${group} has no handler and nobody reads it: give it onMessage(…) before the start, or read it with for await`,
  ],
  loopLeft: ({ group, queues }) => [
    group,
    `nobody reads the consumer of group ${group} any more since its loop was left, and its ${queues} queues wait: read on with for await, or close it`,
  ],
  handlersLeft: ({ group, waitedMs }) => [
    group,
    `the consumer of group ${group} was closed while handlers still ran after ${waitedMs} ms (awaitTerminationMillisWhenShutdown): what they handle comes again`,
  ],
  subscriptionsDiffer: ({ group, topic, own, others }) => [
    `${group} ${topic}`,
    `members of group ${group} subscribe to ${topic} differently (here ${own}, elsewhere ${others}): messages are lost to the group until all want the same`,
  ],
}

/** Tells people of what goes wrong: a sentence for each cause, and again when it has changed. */
export class Notices {
  private readonly logger: ClientLogger | undefined
  private readonly isOff: boolean
  private readonly clock: Pick<Clock, 'monotonic'>
  private readonly told = new Map<string, { text: string; atMs: number }>()

  constructor(logger: ClientLogger | false | undefined, clock: Pick<Clock, 'monotonic'>) {
    this.logger = logger === false ? undefined : logger
    this.isOff = logger === false
    this.clock = clock
  }

  /** `isHeard`: the application listens itself. */
  tell<N extends ClientEventName>(
    name: N,
    fields: ClientEventMap[N],
    { level, isHeard }: { level: EventLevel; isHeard: boolean },
  ): void {
    const isLoud = level === 'warn' || level === 'error'
    if (this.isOff || (this.logger === undefined && (!isLoud || isHeard))) return
    const [about, text] = sentences[name](fields)
    if (isLoud && this.isKnown(`${name} ${about}`, causeOf(name, fields, text))) return
    if (this.logger !== undefined) this.logger[level]({ event: name, ...fields }, text)
    else process.emitWarning(text, { type: 'SkuaWarning', code: name, ...detailOf(fields) })
  }

  private isKnown(subject: string, text: string): boolean {
    const now = this.clock.monotonic()
    const before = this.told.get(subject)
    this.told.delete(subject)
    this.told.set(subject, { text, atMs: now })
    if (this.told.size > maxSubjects)
      for (const oldest of this.told.keys()) {
        this.told.delete(oldest)
        break
      }
    return before !== undefined && before.text === text && now - before.atMs < forgetMs
  }
}

/** Where a handler failed is in its code. */
function detailOf(fields: object): { detail?: string } {
  const { error } = fields as { error?: unknown }
  return error instanceof Error && !(error instanceof ClientError) && error.stack !== undefined
    ? { detail: error.stack }
    : {}
}

/** By what two occurrences are the same: of a failure its reason, since the message's id is another one each time. */
function causeOf(name: ClientEventName, fields: object, text: string): string {
  const { error } = fields as { error?: unknown }
  if (error !== undefined) return `${name} ${reasonOf(error)}`
  return 'msgId' in fields || 'blockedMs' in fields || 'records' in fields ? name : text
}

/** The events of a client, in front of its runtime's sink and of whoever reads warnings. */
export const clientEvents = ({ runtime, logger }: Pick<ClientSettings, 'runtime' | 'logger'>): ClientEvents =>
  new ClientEvents(runtime.events, new Notices(logger, runtime.clock))
