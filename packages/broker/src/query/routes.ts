import { type HeaderOf, queryMessage, ResponseCode, viewMessageById } from '@skua-mq/protocol'
import { answer, ok, type Route, refuse, route } from '@skua-mq/remoting'
import type { MessageStore } from '@skua-mq/store'
import { maxQueryBodyBytes, queryByKey, recordAt } from './key-query.ts'

/** 12, 33 (remoting.md 9.6). */
export function queryRoutes(store: Pick<MessageStore, 'query' | 'readRecord'>): Route[] {
  return [
    route(viewMessageById, ({ offset }) => view(store, offset), { readBytes: viewReadBytes }),
    route(queryMessage, wish => query(store, wish), { readBytes: maxQueryBodyBytes }),
  ]
}

/** What looking up one message is taken to bring: most messages are smaller. */
const viewReadBytes = 256 * 1024

async function view(store: Pick<MessageStore, 'readRecord'>, offset: number) {
  const record = await recordAt(store, offset)
  if (record === undefined) return refuse(ResponseCode.systemError, `no message begins at offset ${offset} of the log`)
  return ok({}, record)
}

async function query(store: Pick<MessageStore, 'query' | 'readRecord'>, wish: HeaderOf<typeof queryMessage>) {
  const { topic, key, maxNum, beginTimestamp, endTimestamp, uniqueKeyQuery } = wish
  const found = await queryByKey(store, {
    topic,
    key,
    maxCount: maxNum,
    beginMs: beginTimestamp,
    endMs: endTimestamp,
    unique: uniqueKeyQuery === true,
  })
  const header = {
    indexLastUpdateTimestamp: found.indexUpdatedAtMs,
    indexLastUpdatePhyoffset: found.indexUpdatedOffset,
  }
  if (found.records.length === 0)
    return answer(ResponseCode.queryNotFound, header, `no message of ${topic} with the key ${key} in that time`)
  return ok(header, Buffer.concat(found.records))
}
