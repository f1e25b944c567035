import { printProperties, readRecord, type StoredMessage } from '@skua-mq/protocol'
import {
  configOf,
  type Event,
  EventHub,
  type Runtime,
  SimClock,
  SimMachine,
  SimNetwork,
  SimRandom,
} from '@skua-mq/runtime'
import { Draft, type PutResult, Store, storeConfig } from '@skua-mq/store'
import { brokerOptions, specialQueues } from '../src/index.ts'

export interface Process {
  readonly runtime: Runtime
  readonly store: Store
}

/** A machine whose disk outlives its processes, each of which opens the store anew. */
export class StoreMachine {
  readonly clock = new SimClock()
  readonly events: Event[] = []
  private readonly machine: SimMachine
  private boots = 0
  private cuts = 0
  private changes: Parameters<typeof storeConfig>[0]

  constructor(changes: Parameters<typeof storeConfig>[0] = {}, seed = 7) {
    this.changes = changes
    const random = new SimRandom(seed)
    const network = new SimNetwork({ clock: this.clock, random: random.fork() })
    this.machine = new SimMachine({ clock: this.clock, network, random }, 'broker')
  }

  /** `changes` of the configuration for this and later processes. */
  async boot(changes: Parameters<typeof storeConfig>[0] = {}): Promise<Process> {
    this.changes = { ...this.changes, ...changes }
    const hub = new EventHub()
    hub.subscribe(event => this.events.push(event))
    const runtime = this.machine.boot(hub)
    const config = storeConfig({
      storePathRootDir: '/store',
      mappedFileSizeCommitLog: 1024 * 1024,
      mappedFileSizeConsumeQueue: 20_000,
      maxHashSlotNum: 50,
      maxIndexNum: 100,
      ...this.changes,
    })
    const facts = {
      pid: ++this.boots,
      bootId: `boot ${this.cuts}`,
      startedAt: () => undefined,
      lockHolder: () => undefined,
    }
    const store = new Store(config, { ...runtime, facts, special: specialQueues(configOf(brokerOptions)) })
    await this.clock.until(store.start())
    return { runtime, store }
  }

  /** What outlives processes. */
  get disk() {
    return this.machine.disk
  }

  kill(): void {
    this.machine.kill()
  }

  /** What was not synced is lost by chance. */
  powerCut(): void {
    this.machine.powerCut()
    this.cuts++
  }

  /** Stores messages and waits for the answers. */
  async put(
    store: Store,
    messages: readonly { topic: string; queueId?: number; body: string; properties?: Record<string, string> }[],
  ): Promise<void> {
    let left = messages.length
    const stored = (result: PutResult) => {
      if (!result.isStored) throw new Error(result.remark)
      left--
    }
    for (const message of messages) {
      const draft = new Draft()
      draft.topic = message.topic
      draft.queueId = message.queueId ?? 0
      draft.bornAtMs = this.clock.now()
      draft.bornHost = Uint8Array.of(10, 0, 0, 9, 0, 0, 0x1f, 0x90)
      draft.body = Buffer.from(message.body)
      draft.bodyEnd = draft.body.length
      draft.properties = Buffer.from(printProperties(Object.entries(message.properties ?? {})))
      draft.propertiesEnd = draft.properties.length
      store.append(draft, { stored })
    }
    await this.clock.advanceAsync(0)
    if (left > 0) throw new Error(`${left} messages were not answered`)
  }

  /** Every message of a queue, in order. */
  read(store: Store, topic: string, queueId = 0): StoredMessage[] {
    const found: StoredMessage[] = []
    const entry = [{ physicalOffset: 0, size: 0, tagsCode: 0 }]
    for (let offset = store.minOffset(topic, queueId); offset < store.maxOffset(topic, queueId); offset++) {
      store.queue(topic, queueId)!.entries(offset, entry)
      found.push(readRecord(store.readRecordSync(entry[0]!.physicalOffset)!)!.message)
    }
    return found
  }
}

export const text = ({ body }: { readonly body: Uint8Array }): string => Buffer.from(body).toString()
