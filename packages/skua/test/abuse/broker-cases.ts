import type { Socket } from 'node:net'
import { sendMessageV2, updateAndCreateTopic } from '@skua-mq/protocol'
import { type AbuseCase, pause } from './case.ts'
import { binaryRequest, heartbeat, jsonFrame, pull, request } from './frames.ts'
import type { Target } from './target.ts'

const mebi = 1024 * 1024

async function sendMany(target: Target, { count, bytes }: { count: number; bytes: number }): Promise<void> {
  const header = {
    producerGroup: 'pg',
    topic: 'Abused',
    defaultTopic: 'TBW102',
    defaultTopicQueueNums: 4,
    queueId: 0,
    sysFlag: 0,
    bornTimestamp: 1,
    flag: 0,
    unitMode: false,
    batch: false,
  }
  const body = Buffer.alloc(bytes, 'x')
  for (let i = 0; i < count; i++) await target.client.request(target.address, sendMessageV2, header, { body })
}

async function makeTopics(target: Target, count: number): Promise<void> {
  const rest = {
    defaultTopic: 'TBW102',
    readQueueNums: 2,
    writeQueueNums: 2,
    perm: 6,
    topicFilterType: 'SINGLE_TAG',
  } as const
  for (let i = 0; i < count; i++) {
    const header = { topic: `Topic${i}`.padEnd(100, 'x'), ...rest, order: false }
    await target.client.request(target.address, updateAndCreateTopic, header)
  }
}

/** Writes as the other side takes it; gives up when the connection is gone. */
function writeAll(socket: Socket, bytes: Buffer): Promise<void> {
  return new Promise(resolve => {
    if (socket.destroyed) resolve()
    else socket.write(bytes, () => resolve())
  })
}

function end(sockets: readonly Socket[]): void {
  for (const socket of sockets) socket.destroy()
}

const repeated = (frame: Buffer, bytes: number): Buffer =>
  Buffer.concat(Array.from({ length: Math.ceil(bytes / frame.length) }, () => frame))

/** What a connection gets that never reads. */
async function deaf(target: Target, count: number): Promise<Socket[]> {
  const sockets = await target.openAll(count)
  for (const socket of sockets) socket.pause()
  return sockets
}

async function each(target: Target, frames: readonly Buffer[]): Promise<void> {
  const sockets = await target.openAll(frames.length)
  for (const [i, socket] of sockets.entries()) {
    socket.resume()
    void writeAll(socket, frames[i] as Buffer)
  }
  await pause(500)
  end(sockets)
}

/** Peers of the broker's port. A case that ended the process, or shut others out, once. */
export const brokerCases: readonly AbuseCase[] = [
  {
    name: 'halves of frames of 16 MB on 24 connections',
    mostGrowthMiB: 450,
    abuse: async target => {
      const sockets = await target.openAll(24)
      const half = Buffer.alloc(15 * mebi)
      half.writeInt32BE(16_000_000, 0)
      half.writeInt32BE(100, 4)
      for (const socket of sockets) void writeAll(socket, half)
      await pause(1000)
      end(sockets)
    },
  },
  {
    name: 'consumers that never read',
    mostGrowthMiB: 600,
    prepare: target => sendMany(target, { count: 100, bytes: 200_000 }),
    abuse: async target => {
      const sockets = await deaf(target, 60)
      const pulls = repeated(pull({ queueOffset: '3' }), 2 * mebi)
      for (const socket of sockets) void writeAll(socket, pulls)
      await pause(1500)
      end(sockets)
    },
  },
  {
    name: 'tools that never read',
    mostGrowthMiB: 500,
    prepare: target => makeTopics(target, 200),
    abuse: async target => {
      const sockets = await deaf(target, 40)
      for (const socket of sockets) void writeAll(socket, repeated(request(21), mebi))
      await pause(1500)
      end(sockets)
    },
  },
  {
    name: 'hundreds of large requests in a packet',
    mostGrowthMiB: 400,
    prepare: target => makeTopics(target, 200),
    abuse: async target => {
      await each(
        target,
        [21, 206, 201, 21].map(code => repeated(request(code), 64 * 1024)),
      )
    },
  },
  {
    name: 'headers of nested arrays, of many fields and of long numbers',
    mostGrowthMiB: 400,
    abuse: async target => {
      const around = (fields: string) => jsonFrame(`{"code":34,"extFields":{${fields}},"opaque":1}`)
      await each(target, [
        around(`"a":${'['.repeat(8 * mebi)}`),
        around('"a":"",'.repeat(mebi).slice(0, -1)),
        around(`"a":${'7'.repeat(8 * mebi)}`),
        ...[100_000, 200_000].map(length => repeated(around(`"a":${'['.repeat(length)}`), 4 * mebi)),
        repeated(around('"a":"",'.repeat(30_000).slice(0, -1)), 4 * mebi),
        repeated(request(14, { consumerGroup: 'g', topic: 't', queueId: 'x'.repeat(200_000) }), 4 * mebi),
      ])
    },
  },
  {
    name: 'heartbeats of long numbers, of many sets and of 16 MB',
    mostGrowthMiB: 500,
    abuse: async target => {
      const beat = (body: string) => request(34, {}, { body: Buffer.from(body) })
      await each(target, [
        beat(`{"clientID":${'7'.repeat(15 * mebi)}}`),
        repeated(beat(`{"clientID":${'7'.repeat(900_000)}}`), 8 * mebi),
        repeated(beat(`{"producerDataSet":[${'{},'.repeat(200_000)}{}]}`), 4 * mebi),
        repeated(beat(`{"a":{"b":1},"c":[${'{"$ref":"$.a"},'.repeat(40_000)}{}]}`), 2 * mebi),
      ])
    },
  },
  {
    name: 'a consumer that answers with a name that no frame can hold',
    mostGrowthMiB: 200,
    abuse: async target => {
      const [consumer, tool] = (await target.openAll(2)) as [Socket, Socket]
      consumer.on('data', chunk => {
        const opaque = /"code":307,.*"opaque":(\d+)/.exec(chunk.toString('latin1'))?.[1]
        if (opaque === undefined) return
        const fields = JSON.stringify({ ['n'.repeat(40_000)]: 'v' })
        consumer.write(
          jsonFrame(`{"code":0,"extFields":${fields},"flag":1,"language":"JAVA","opaque":${opaque},"version":409}`),
        )
      })
      await writeAll(consumer, heartbeat('c@1', 'victim'))
      await pause(100)
      await writeAll(tool, binaryRequest(307, { consumerGroup: 'victim', clientId: 'c@1', jstackEnable: 'false' }))
      tool.resume()
      await pause(200)
      end([consumer, tool])
    },
  },
  {
    name: 'pulls with expressions of a megabyte, and ten thousands that are held',
    mostGrowthMiB: 400,
    config: { enablePropertyFilter: 'true' },
    prepare: target => sendMany(target, { count: 1, bytes: 10 }),
    abuse: async target => {
      const held = { queueOffset: '1', suspendTimeoutMillis: '9007199254740991' }
      const tags = (length: number) => pull({ ...held, subscription: `A||${'x'.repeat(length)}` })
      const sql = (expression: string) => pull({ ...held, subscription: expression, expressionType: 'SQL92' })
      await each(target, [
        repeated(tags(mebi), 100 * mebi),
        repeated(tags(60_000), 40 * mebi),
        repeated(pull(held), 8 * mebi),
        repeated(sql('-'.repeat(65_000)), 2 * mebi),
        repeated(sql('0'.repeat(65_000)), 2 * mebi),
        repeated(sql('('.repeat(65_000)), 2 * mebi),
      ])
    },
  },
  {
    name: 'two thousand connections that say nothing, and others that come and go',
    mostGrowthMiB: 200,
    abuse: async target => {
      const idle = await target.openAll(2000)
      for (let i = 0; i < 20; i++) end(await target.openAll(50))
      end(idle)
    },
  },
  {
    name: 'more connections than a small limit of descriptors allows',
    mostGrowthMiB: 200,
    descriptors: 150,
    prepare: target => sendMany(target, { count: 40, bytes: 100 }),
    abuse: async target => {
      const idle = await target.openAll(300)
      await pause(300)
      end(idle)
      await pause(50)
    },
  },
]
