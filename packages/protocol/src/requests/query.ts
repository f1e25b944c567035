import { as, bool, int, long, optional, text } from '../field.ts'
import { defineRequest } from '../request.ts'

/** Reply body: stored messages one after another; 22 when there are none. */
export const queryMessage = defineRequest({
  name: 'QUERY_MESSAGE',
  code: 12,
  header: {
    topic: text,
    key: text,
    maxNum: int,
    beginTimestamp: long,
    /** Clients send Long.MAX_VALUE for "now and later". */
    endTimestamp: long,
    /** True: the key is a unique id. */
    uniqueKeyQuery: as('_UNIQUE_KEY_QUERY', optional(bool)),
  },
  reply: { indexLastUpdateTimestamp: long, indexLastUpdatePhyoffset: long },
  direction: 'client and tools to broker',
  section: '9.6',
})

/** Reply body: the stored message; 1 when there is none. */
export const viewMessageById = defineRequest({
  name: 'VIEW_MESSAGE_BY_ID',
  code: 33,
  header: {
    /** Physical offset, out of the offset id. */
    offset: long,
    topic: optional(text),
  },
  direction: 'client and tools to broker',
  section: '9.6',
})
