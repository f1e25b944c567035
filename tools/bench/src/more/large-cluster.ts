// One name server of a large cluster: brokers that register, and clients that ask for their routes each 30 s.
import type { Socket } from 'node:net'
import {
  compressRegisterBody,
  encodeFrame,
  getRouteInfoByTopic,
  HeaderForm,
  type RegisterBrokerBody,
  registerBroker,
  writeFields,
} from '@skua-mq/protocol'
import { connect } from '../load.ts'
import { figuresOf } from '../process-figures.ts'
import { ReplyScan } from '../reply-scan.ts'
import { count, type Extra, MiB, sleep } from './extra.ts'

const brokers = 100
const topics = 1000
const connections = 200
/** Of each client; a client asks each 30 s. */
const topicsOfClient = 3
const seconds = 5

const topicNamed = (at: number) => `topic-of-a-large-cluster-${at}`

function bodyOf(): RegisterBrokerBody {
  const shape = {
    ...{ readQueueNums: 8, writeQueueNums: 8, perm: 6, topicSysFlag: 0, order: false },
    topicFilterType: 'SINGLE_TAG' as const,
  }
  const names = Array.from({ length: topics }, (_, at) => topicNamed(at))
  return {
    filterServerList: [],
    topicConfigSerializeWrapper: {
      dataVersion: { timestamp: 1_700_000_000_000, counter: 1 },
      topicConfigTable: new Map(names.map(topicName => [topicName, { ...shape, topicName }])),
    },
  }
}

const frame = (code: number, opaque: number, extFields: Record<string, string>, body?: Uint8Array) =>
  encodeFrame({ code, language: 0, version: 409, opaque, flag: 0, extFields, body, form: HeaderForm.json })

/** Resolves when the name server has answered it. */
const registered = (socket: Socket, at: number, body: Uint8Array) =>
  new Promise<void>(resolve => {
    const brokerAddr = `10.0.${at >> 8}.${at & 0xff}:10911`
    const header = {
      ...{ brokerName: `broker-${at}`, brokerAddr, clusterName: 'large', brokerId: 0, compressed: true },
      ...{ haServerAddr: brokerAddr.replace('10911', '10912'), bodyCrc32: 0 },
    }
    socket.once('data', () => resolve())
    socket.write(frame(registerBroker.code, 1, writeFields(registerBroker.header, header), body))
  })

export const largeClusters: readonly Extra[] = [
  {
    name: `name server of ${brokers} masters with the same ${count(topics)} topics: registration, routes, memory`,
    run: async ({ namesrv, namesrvPid, pid = 0 }) => {
      const serverPid = namesrvPid ?? pid
      const [host = '', port = ''] = namesrv.split(':')
      const body = compressRegisterBody(bodyOf())
      const start = figuresOf(serverPid)
      const homes = await Promise.all(Array.from({ length: brokers }, () => connect(host, Number(port))))
      for (const [at, socket] of homes.entries()) await registered(socket, at, body)
      const known = figuresOf(serverPid)
      const clients = await Promise.all(Array.from({ length: connections }, () => connect(host, Number(port))))
      let answers = 0
      let bytes = 0
      let next = 0
      for (const socket of clients) {
        const scan = new ReplyScan()
        const ask = () => {
          const header = writeFields(getRouteInfoByTopic.header, { topic: topicNamed(next++ % topics) })
          socket.write(frame(getRouteInfoByTopic.code, 2, header))
        }
        socket.on('data', chunk => {
          bytes += chunk.length
          scan.push(chunk as Buffer, () => {
            answers++
            ask()
          })
        })
        ask()
      }
      await sleep(1)
      const before = { answers, bytes, cpu: figuresOf(serverPid).cpuSeconds }
      await sleep(seconds)
      const after = figuresOf(serverPid)
      const asked = answers - before.answers
      const us = ((after.cpuSeconds - before.cpu) * 1e6) / asked
      for (const socket of [...clients, ...homes]) socket.destroy()
      const registering = ((known.cpuSeconds - start.cpuSeconds) * 1000) / brokers
      // Of 100,000 clients that ask for three topics each half minute.
      const cores = ((100_000 * topicsOfClient) / 30) * us * 1e-6
      const kib = (bytes - before.bytes) / asked / 1024
      return `${registering.toFixed(1)} ms a registration; ${us.toFixed(1)} µs a route of ${kib.toFixed(1)} KiB (100,000 clients of 3 topics: ${(cores * 100).toFixed(0)} % of a core); RssAnon +${((after.rssAnonBytes - start.rssAnonBytes) / MiB).toFixed(0)} MiB`
    },
  },
]
