import { scheduleTopic } from '@skua-mq/protocol'
import { type Disk, EventHub, type ProcessFacts, SimClock, SimDisk, SimTurn } from '@skua-mq/runtime'
import {
  type AppendWaiter,
  DelayQueue,
  Draft,
  defaultStoreConfig,
  GetRequest,
  GetResult,
  type MessageBitmaps,
  type PutResult,
  type PutStatus,
  Store,
  type StoreConfig,
} from '../src/index.ts'

/** Small files, so that a few messages fill several of each kind. */
export const smallConfig: StoreConfig = {
  ...defaultStoreConfig,
  storePathRootDir: '/store',
  mappedFileSizeCommitLog: 16_384,
  mappedFileSizeConsumeQueue: 400,
  maxHashSlotNum: 50,
  maxIndexNum: 100,
  logRingBytes: 65_536,
  logChunkBytes: 4096,
}

export function factsOf(bootId: string, pid = 1): ProcessFacts {
  return {
    pid,
    bootId,
    startedAt: other => (other === pid ? `start of ${pid}` : undefined),
    lockHolder: () => undefined,
  }
}

export interface Outcome {
  status: PutStatus
  physicalOffset: number
  queueOffset: number
  size: number
  count: number
  batchOffsets: readonly number[]
  remark: string
}

/** Keeps what came of each append, in order of the answers. */
export class Outcomes implements AppendWaiter {
  readonly all: Outcome[] = []

  stored(result: PutResult): void {
    const { status, physicalOffset, queueOffset, size, count, batchOffsets, remark } = result
    this.all.push({ status, physicalOffset, queueOffset, size, count, batchOffsets, remark })
  }
}

/** As brokers give it: levels 1 to 18 of RocketMQ's default. */
const [s, m, h] = [1000, 60_000, 3_600_000] as const
const levels = [s, 5 * s, 10 * s, 30 * s, ...[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 20, 30].map(each => each * m), h, 2 * h]
export const special = [new DelayQueue(scheduleTopic, levels)]

export interface World {
  readonly clock: SimClock
  readonly disk: SimDisk
  readonly events: EventHub
}

export function world(options: { capacityBytes?: number } = {}): World {
  const clock = new SimClock()
  return { clock, disk: new SimDisk(clock, options), events: new EventHub() }
}

export interface Opened {
  readonly store: Store
  readonly turn: SimTurn
}

/** A store that is started. Turns are run by the test. */
export async function open(
  at: World,
  config: StoreConfig = smallConfig,
  options: { bootId?: string; disk?: Disk; bitmaps?: MessageBitmaps } = {},
) {
  const turn = new SimTurn()
  const { clock, events } = at
  const facts = factsOf(options.bootId ?? 'boot')
  const { disk = at.disk, bitmaps } = options
  const store = new Store(config, { clock, disk, turn, events, facts, bitmaps, special })
  await at.clock.until(store.start())
  return { store, turn }
}

export const bornHost = Uint8Array.of(127, 0, 0, 1, 0, 0, 0x1f, 0x90)

export interface Message {
  readonly topic: string
  readonly queueId: number
  readonly body: Uint8Array
  readonly properties: string
}

export function draftOf(message: Message): Draft {
  const draft = new Draft()
  draft.topic = message.topic
  draft.queueId = message.queueId
  draft.bornAtMs = 1_700_000_000_000
  draft.bornHost = bornHost
  draft.body = message.body
  draft.bodyEnd = message.body.length
  draft.properties = Buffer.from(message.properties)
  draft.propertiesEnd = draft.properties.length
  return draft
}

export function message(topic: string, body: string, properties = ''): Message {
  return { topic, queueId: 0, body: Buffer.from(body), properties }
}

/** Appends and runs the turn; answers the outcomes. */
export function put({ store, turn }: Opened, ...messages: Message[]): Outcome[] {
  const outcomes = new Outcomes()
  for (const each of messages) store.append(draftOf(each), outcomes)
  turn.run()
  return outcomes.all
}

export interface Got {
  status: string
  nextOffset: number
  bodies: string[]
  slices: number
}

export async function get({ store }: Opened, request: Partial<GetRequest>): Promise<Got> {
  const result = new GetResult()
  await store.get(Object.assign(new GetRequest(), request), result)
  const got = {
    status: result.status,
    nextOffset: result.nextOffset,
    bodies: bodiesOf(Buffer.concat(result.slices)),
    slices: result.slices.length,
  }
  result.release()
  return got
}

/** Every message of a queue, by as many reads as it takes. */
export async function drain(opened: Opened, topic: string, queueId = 0): Promise<string[]> {
  const bodies: string[] = []
  let offset = opened.store.minOffset(topic, queueId)
  while (offset < opened.store.maxOffset(topic, queueId)) {
    const got = await get(opened, { topic, queueId, offset })
    if (got.nextOffset <= offset) throw new Error(`stuck at ${offset}: ${got.status}`)
    bodies.push(...got.bodies)
    offset = got.nextOffset
  }
  return bodies
}

/** Bodies of records that lie back to back, all hosts being IPv4. */
export function bodiesOf(records: Buffer): string[] {
  const bodies: string[] = []
  for (let at = 0; at < records.length; at += records.readInt32BE(at)) {
    const length = records.readInt32BE(at + 84)
    bodies.push(records.toString('utf8', at + 88, at + 88 + length))
  }
  return bodies
}
