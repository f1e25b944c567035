/** A frame of a JSON header, whatever its length. */
export function jsonFrame(header: string, body: Uint8Array = Buffer.alloc(0)): Buffer {
  const bytes = Buffer.from(header)
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + bytes.length + body.length, 0)
  head.writeInt32BE(bytes.length, 4)
  return Buffer.concat([head, bytes, body])
}

export const request = (
  code: number,
  extFields: Record<string, string> = {},
  { body, opaque = 1 }: { body?: Uint8Array | undefined; opaque?: number } = {},
): Buffer =>
  jsonFrame(
    `{"code":${code},"extFields":${JSON.stringify(extFields)},"flag":0,"language":"JAVA","opaque":${opaque},"version":409}`,
    body,
  )

export const pull = (changes: Record<string, string> = {}): Buffer =>
  request(11, {
    consumerGroup: 'g',
    topic: 'Abused',
    queueId: '0',
    queueOffset: '0',
    maxMsgNums: '32',
    sysFlag: '6',
    commitOffset: '0',
    suspendTimeoutMillis: '15000',
    subVersion: '0',
    subscription: '*',
    ...changes,
  })

export const sendFields = {
  ...{ a: 'pg', b: 'Abused', c: 'TBW102', d: '4', e: '0', f: '0', g: '1', h: '0', k: 'false', m: 'false' },
}

export const heartbeat = (clientID: string, groupName: string): Buffer =>
  request(
    34,
    {},
    {
      body: Buffer.from(
        JSON.stringify({
          clientID,
          producerDataSet: [],
          consumerDataSet: [
            {
              consumeType: 'CONSUME_PASSIVELY',
              messageModel: 'CLUSTERING',
              consumeFromWhere: 'CONSUME_FROM_LAST_OFFSET',
              groupName,
              subscriptionDataSet: [],
              unitMode: false,
            },
          ],
        }),
      ),
    },
  )

/** The request of 307 in the binary form. */
export function binaryRequest(code: number, fields: Record<string, string>): Buffer {
  const entries = Object.entries(fields).map(([name, value]) => {
    const entry = Buffer.alloc(6 + name.length + value.length)
    entry.writeUInt16BE(name.length, 0)
    entry.write(name, 2)
    entry.writeInt32BE(value.length, 2 + name.length)
    entry.write(value, 6 + name.length)
    return entry
  })
  const all = Buffer.concat(entries)
  const header = Buffer.alloc(21 + all.length)
  header.writeInt16BE(code, 0)
  header.writeInt16BE(409, 3)
  header.writeInt32BE(7, 5)
  header.writeInt32BE(all.length, 17)
  header.set(all, 21)
  const head = Buffer.alloc(8)
  head.writeInt32BE(4 + header.length, 0)
  head.writeUInt32BE(0x100_0000 + header.length, 4)
  return Buffer.concat([head, header])
}
