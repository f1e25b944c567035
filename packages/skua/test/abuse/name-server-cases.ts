import { deflateSync } from 'node:zlib'
import type { AbuseCase } from './case.ts'
import { request } from './frames.ts'
import type { Target } from './target.ts'

const int = (value: number): Buffer => {
  const bytes = Buffer.alloc(4)
  bytes.writeInt32BE(value)
  return bytes
}
const counted = (text: string): Buffer => Buffer.concat([int(Buffer.byteLength(text)), Buffer.from(text)])

/** A compressed register body of so many lines (remoting.md 16). */
function compressed(lines: readonly string[]): Buffer {
  const version = counted('{"counter":1,"timestamp":2}')
  return deflateSync(Buffer.concat([version, int(lines.length), ...lines.map(counted), counted('[]')]))
}

const topicJson = (name: string) =>
  `"${name}":{"order":false,"perm":6,"readQueueNums":4,"topicFilterType":"SINGLE_TAG","topicName":"${name}","topicSysFlag":0,"writeQueueNums":4}`

const plain = (names: readonly string[]): Buffer =>
  Buffer.from(
    `{"filterServerList":[],"topicConfigSerializeWrapper":{"dataVersion":{"counter":1,"timestamp":2},"topicConfigTable":{${names.map(topicJson).join(',')}}}}`,
  )

const register = (brokerAddr: string, body: Buffer): Buffer =>
  request(
    103,
    {
      ...{ brokerName: `of ${brokerAddr}`, brokerAddr, clusterName: 'c', brokerId: '0', haServerAddr: brokerAddr },
      ...{ compressed: 'false', bodyCrc32: '0' },
    },
    { body },
  )

/** Sends frames on a connection of its own, and waits for so many bytes of an answer, or the end. */
async function asked(target: Target, frames: readonly Buffer[]): Promise<void> {
  const socket = await target.open(target.ports.nameServer)
  await new Promise<void>(resolve => {
    socket.once('data', () => resolve())
    socket.once('close', () => resolve())
    for (const frame of frames) socket.write(frame)
  })
  socket.destroy()
}

const names = (count: number, from = 0): string[] => Array.from({ length: count }, (_, i) => `Topic-${from + i}`)
const longNumber = '9'.repeat(60_000)

export const nameServerCases: readonly AbuseCase[] = [
  {
    name: 'registrations whose numbers have sixty thousand digits, behind zlib',
    mostGrowthMiB: 150,
    abuse: async target => {
      const lines = Array.from({ length: 100 }, () => `T 4 4 6 SINGLE_TAG {"a":${longNumber}}`)
      await asked(target, [register('10.0.0.1:1', compressed(lines))])
      await asked(target, [
        register(
          '10.0.0.1:1',
          Buffer.from(`{"topicConfigSerializeWrapper":{"dataVersion":{"counter":${longNumber}}}}`),
        ),
      ])
    },
  },
  {
    name: 'a registration of equal lines that inflates a hundredfold',
    mostGrowthMiB: 250,
    abuse: target =>
      asked(target, [register('10.0.0.2:1', compressed(Array.from({ length: 400_000 }, () => 'T 4 4 6 SINGLE_TAG')))]),
  },
  {
    name: 'a registration that would inflate without end',
    mostGrowthMiB: 250,
    abuse: target => asked(target, [register('10.0.0.3:1', deflateSync(Buffer.alloc(64 * 1024 * 1024)))]),
  },
  {
    name: 'an honest broker with fifty thousand topics, again and again, and its end',
    mostGrowthMiB: 400,
    abuse: async target => {
      const body = plain(names(50_000))
      await asked(target, [register('10.0.0.4:1', body), register('10.0.0.4:1', body)])
    },
  },
  {
    name: 'two thousand brokers of one connection, and its end',
    mostGrowthMiB: 250,
    abuse: async target => {
      const body = plain(names(20))
      const frames = Array.from({ length: 2000 }, (_, i) => register(`10.1.${i >> 8}.${i & 255}:1`, body))
      await asked(target, frames)
    },
  },
  {
    name: 'lists of all topics, hundreds in a packet',
    mostGrowthMiB: 250,
    prepare: target => asked(target, [register('10.0.0.5:1', plain(names(5000)))]),
    abuse: async target => {
      const socket = await target.open(target.ports.nameServer)
      socket.write(register('10.0.0.5:1', plain(names(5000))))
      socket.pause()
      socket.write(Buffer.concat(Array.from({ length: 500 }, (_, i) => request(206, {}, { opaque: i }))))
      await new Promise(resolve => setTimeout(resolve, 300))
      socket.destroy()
    },
  },
  {
    name: 'KV values without end',
    mostGrowthMiB: 200,
    abuse: async target => {
      const value = 'v'.repeat(30_000)
      const frames = Array.from({ length: 400 }, (_, i) =>
        request(100, { namespace: 'n', key: `k${i}`, value }, { opaque: i }),
      )
      await asked(target, frames)
    },
  },
]
