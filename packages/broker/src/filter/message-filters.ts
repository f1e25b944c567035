import { bloomHas, PropertyName, parseTags, type SqlFilter, type TagFilter } from '@skua-mq/protocol'
import type { MessageFilter } from '@skua-mq/store'
import { RecordProperties } from './record-properties.ts'

/** One thread evaluates one record at a time: all filters share the place where it is looked into. */
const properties = new RecordProperties()

/** Passes the tags of a set by their hashes; the consumer compares the text again. */
export function tagFilter(codes: ReadonlySet<number>): MessageFilter {
  return { matchesTag: tagsHash => codes.has(tagsHash) }
}

/** A tag expression as a filter; undefined lets all pass. `no tags`: for text that names none (remoting.md 14.9). */
export function tagFilterOf(expression: string | undefined): MessageFilter | undefined | 'no tags' {
  const parsed: TagFilter | undefined = parseTags(expression)
  if (parsed === undefined) return 'no tags'
  return parsed.all ? undefined : tagFilter(parsed.codes)
}

/** When a bitmap of a message may be asked instead of its properties. */
export interface BitmapUse {
  /** Bits that a bitmap has which was made with the same parameters. */
  readonly bits: number
  readonly positions: readonly number[]
  /** First physical offset whose bitmaps were made with this very expression. */
  readonly from: number
}

/**
 * Of an expression of so many characters about three milliseconds are spent on the messages of one read: the loop is everybody's, and
 * whoever subscribes asks again where it ends.
 */
const readChars = 256 * 1024

const mostRecordsOf = ({ text }: SqlFilter): number => Math.max(1, Math.floor(readChars / Math.max(1, text.length)))

/** Passes the messages for whose properties an SQL92 expression is true: neither false, nor unknown, nor failing. */
export function sqlFilter(sql: SqlFilter, use?: BitmapUse): MessageFilter {
  return {
    ...(use === undefined ? {} : { matchesBitmap: bitmapTest(use) }),
    matchesTag: passes,
    mostRecords: mostRecordsOf(sql),
    matchesRecord: (bytes, start, end) => properties.read(bytes, start, end) && sql.evaluate(properties) === true,
  }
}

const bitmapTest =
  ({ bits, positions, from }: BitmapUse) =>
  (bitmap: Uint8Array, physicalOffset: number): boolean =>
    physicalOffset < from || bitmap.length * 8 !== bits || bloomHas(bitmap, positions)

/** Retried messages are few. */
const mostRetriedRecords = 32

/**
 * For a %RETRY% topic under filterSupportRetry: a message is asked what its group wants of the topic that it came from.
 * Groups which change their expression while messages wait for a retry rely on it.
 */
export function retryFilter(sqlOf: (originTopic: string) => SqlFilter | undefined): MessageFilter {
  return {
    matchesTag: passes,
    // Which expressions they are is known message by message: of the longest ones.
    mostRecords: mostRetriedRecords,
    matchesRecord: (bytes, start, end) => {
      if (!properties.read(bytes, start, end)) return true
      const origin = properties.find(PropertyName.retryTopic)
      const sql = origin === undefined ? undefined : sqlOf(origin)
      return sql === undefined || sql.evaluate(properties) === true
    },
  }
}

const passes = (): boolean => true
