import { bodyCrc } from '@skua-mq/protocol'
import type { Clock } from '@skua-mq/runtime'
import { Filter } from './filter.ts'
import { NoFilter, type ScriptLimits } from './filter-limits.ts'

/** Filters are a few KiB of text; each keeps a thread, and some 20 MiB of memory beside its own. */
export const maxSourceBytes = 256 * 1024
export const maxFilters = 64
/** Consumers bring their filter every 30 s; one that neither came nor was pulled for so long has no consumer any more. */
export const filterExpiryMs = 150_000

export interface FilterRegistration {
  readonly consumerGroup: string
  readonly topic: string
  readonly className: string
  readonly source: Uint8Array
}

export interface FiltersParts {
  readonly clock: Clock
  readonly limits: ScriptLimits
  /** Most filters; maxFilters by default. */
  readonly maxFilters?: number
  /** Told once of each text that is refused. */
  readonly onRefused: (registration: FilterRegistration, reason: string) => void
}

/** The filters that consumers have registered, by group and topic. */
export class Filters {
  private readonly parts: FiltersParts
  private readonly byName = new Map<string, Filter>()
  /** Texts that were refused, so that each is looked at once and not with every heartbeat. */
  private readonly refused = new Map<string, { crc: number; error: NoFilter }>()
  private readonly beingMade = new Map<string, { crc: number; done: Promise<void> }>()

  constructor(parts: FiltersParts) {
    this.parts = parts
  }

  find(consumerGroup: string, topic: string): Filter | undefined {
    return this.byName.get(keyOf(consumerGroup, topic))
  }

  /** Why a pull of this group finds no filter, where its text was refused. */
  refusalOf(consumerGroup: string, topic: string): string | undefined {
    return this.refused.get(keyOf(consumerGroup, topic))?.error.message
  }

  /** Ends the filters whose consumers are gone. */
  expire(): void {
    const before = this.parts.clock.monotonic() - filterExpiryMs
    for (const [key, filter] of this.byName) {
      if (filter.usedAtMs >= before) continue
      this.byName.delete(key)
      void filter.stop()
    }
  }

  async stop(): Promise<void> {
    await Promise.all([...this.byName.values()].map(filter => filter.stop()))
    this.byName.clear()
  }

  /** The same text again, which comes with each heartbeat, is nothing new. Rejects with NoFilter; the one before then stays. */
  register(registration: FilterRegistration): Promise<void> {
    const key = keyOf(registration.consumerGroup, registration.topic)
    const crc = bodyCrc(registration.source)
    const known = this.byName.get(key)
    if (known?.crc === crc && known.className === registration.className) {
      known.used()
      return Promise.resolve()
    }
    const refused = this.refused.get(key)
    if (refused?.crc === crc) return Promise.reject(refused.error)
    const making = this.beingMade.get(key)
    if (making?.crc === crc) return making.done
    const done = this.make(key, crc, registration)
      .catch(error => {
        if (error instanceof NoFilter) {
          this.refuse(key, { crc, error })
          this.parts.onRefused(registration, error.message)
        }
        throw error
      })
      .finally(() => this.beingMade.delete(key))
    this.beingMade.set(key, { crc, done })
    return done
  }

  private refuse(key: string, refusal: { crc: number; error: NoFilter }): void {
    if (this.refused.size >= maxFilters) this.refused.clear()
    this.refused.set(key, refusal)
  }

  private async make(key: string, crc: number, registration: FilterRegistration): Promise<void> {
    const { consumerGroup, topic, className, source } = registration
    if (source.length > maxSourceBytes)
      throw new NoFilter(`the text of ${className} has ${source.length} bytes; ${maxSourceBytes} are allowed`)
    const most = this.parts.maxFilters ?? maxFilters
    if (!this.byName.has(key) && this.byName.size + this.beingMade.size >= most)
      throw new NoFilter(`this filter server already has ${most} filters, which is its limit`)
    const { clock, limits } = this.parts
    const context = { consumerGroup, topic, className }
    const filter = new Filter(crc, { clock, limits, context, source: new TextDecoder().decode(source) })
    await filter.start()
    this.refused.delete(key)
    const former = this.byName.get(key)
    this.byName.set(key, filter)
    await former?.stop()
  }
}

const keyOf = (consumerGroup: string, topic: string): string => JSON.stringify([consumerGroup, topic])
