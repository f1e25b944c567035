import { type BloomParameters, bloomAdd, bloomBitmap } from '@skua-mq/protocol'
import type { MessageBitmaps } from '@skua-mq/store'
import type { ConsumerFilters } from './consumer-filters.ts'
import { RecordProperties } from './record-properties.ts'

/**
 * Under enableCalcFilterBitMap: which of a topic's SQL92 groups want a message, noted when it is dispatched, so that a
 * pull passes over it without a look at the record (store.md 9.2).
 */
export class FilterBitmaps implements MessageBitmaps {
  private readonly parameters: BloomParameters
  private readonly properties = new RecordProperties()
  private filters: Pick<ConsumerFilters, 'ofTopic'> | undefined

  constructor(parameters: BloomParameters) {
    this.parameters = parameters
  }

  /** The store, which asks, is there before the filters are. */
  use(filters: Pick<ConsumerFilters, 'ofTopic'>): void {
    this.filters = filters
  }

  of(topic: string, bytes: Uint8Array, place: { from: number; to: number }): Uint8Array | undefined {
    const groups = this.filters?.ofTopic(topic)
    if (groups === undefined) return undefined
    const bitmap = bloomBitmap(this.parameters)
    this.properties.readStored(bytes, place)
    for (const { data, sql } of groups.values()) {
      const positions = data.bloomFilterData?.bitPos
      if (positions !== undefined && sql.evaluate(this.properties) === true) bloomAdd(bitmap, positions)
    }
    return bitmap
  }
}
