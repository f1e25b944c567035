import { EventHub, SimClock, SimDisk, SimTurn } from '@skua-mq/runtime'
import type { StoreConfig } from '../src/index.ts'
import { storeParts } from '../src/store-parts.ts'
import { factsOf, smallConfig } from './harness.ts'

/** The parts of a store that take messages, put together as it does, on an empty disk. Queues are flushed by nobody. */
export class BareStore {
  readonly clock = new SimClock()
  readonly disk = new SimDisk(this.clock)
  readonly turn = new SimTurn()
  readonly events = new EventHub()
  readonly parts: ReturnType<typeof storeParts>

  constructor(config: Partial<StoreConfig> = {}) {
    const { clock, disk, turn, events } = this
    this.parts = storeParts({ ...smallConfig, ...config }, { clock, disk, turn, events, facts: factsOf('boot') })
    const { log, flush, answers, turnWrite, appender } = this.parts
    disk.makeDirectory('/store')
    log.segments.load({ crashed: false })
    log.open(0, 0)
    flush.start(0)
    answers.start(0)
    turnWrite.start()
    appender.start()
  }

  queue(topic: string) {
    return this.parts.queues.find(topic, 0)
  }
}
