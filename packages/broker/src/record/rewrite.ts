import { isClosedText, parseProperties, printProperties } from '@skua-mq/protocol'
import { Draft, type MessageStore, PutResult } from '@skua-mq/store'
import { RecordCopy } from './record-copy.ts'

/** What differs in the new copy of a stored record; the rest stays as it is. */
export interface RecordChange {
  readonly topic: string
  readonly queueId: number
  /** All properties of the copy; left out: the stored text, byte for byte. */
  readonly properties?: ReadonlyMap<string, string>
  readonly sysFlag?: number
  readonly reconsumeTimes?: number
  readonly preparedTransactionOffset?: number
}

/** A draft of a stored record under another address; undefined when the bytes are no record. */
export function rewriteRecord(record: Uint8Array, { properties, ...change }: RecordChange): Draft | undefined {
  const draft = new Draft()
  if (!new RecordCopy().fill(draft, record)) return undefined
  Object.assign(draft, change)
  if (properties !== undefined) setProperties(draft, properties)
  return draft
}

/** Other properties for a copy of a record; its text ends with a separator where the copied one does. */
export function setProperties(draft: Draft, properties: ReadonlyMap<string, string>): void {
  draft.properties = Buffer.from(printProperties(properties, { closed: isClosedText(textOf(draft)) }))
  draft.propertiesStart = 0
  draft.propertiesEnd = draft.properties.length
}

const textOf = ({ properties, propertiesStart, propertiesEnd }: Draft): string =>
  Buffer.from(properties.subarray(propertiesStart, propertiesEnd)).toString()

/** The properties of a draft as a map. */
export const propertiesOf = (draft: Draft): Map<string, string> => parseProperties(textOf(draft))

/** Stores a draft; resolves when the store's promise is met or given up. Never rejects. */
export function appendDraft(store: Pick<MessageStore, 'append'>, draft: Draft): Promise<PutResult> {
  return new Promise(resolve => {
    // The result that the store hands out is used again for the next one.
    const stored = (result: PutResult) => resolve(Object.assign(new PutResult(), result))
    store.append(draft, { stored })
  })
}
