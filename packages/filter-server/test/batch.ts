import { draftRecord, recordSize, writeRecord } from '@skua-mq/protocol'

/** Stored records with these bodies, at queue offsets from 0. */
export function batchOf(bodies: readonly string[]): Uint8Array {
  return Buffer.concat(
    bodies.map((body, queueOffset) => {
      const draft = draftRecord({ queueOffset, topic: Buffer.from('T'), body: Buffer.from(body) })
      const bytes = new Uint8Array(recordSize(draft))
      writeRecord(bytes, 0, draft)
      return bytes
    }),
  )
}
