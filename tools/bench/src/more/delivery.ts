import {
  decodeFrame,
  encodeFrame,
  endTransaction,
  FrameParser,
  HeaderForm,
  sendMessageV2,
  writeFields,
} from '@skua-mq/protocol'
import { endToEnd } from '../end-to-end.ts'
import { brokerOf, connect } from '../load.ts'
import { figuresOf } from '../process-figures.ts'
import { count, type Extra, load, MiB, sleep } from './extra.ts'

/** So many half messages are under way on each connection. */
const window = 8

export const deliveries: readonly Extra[] = [
  {
    name: '1,000,000 delayed messages pending (level 18, 128 B)',
    run: async contender => {
      const properties = '\u0002DELAY\u000118'
      await load(contender, { kind: 'send', properties, seconds: 0.5 })
      const before = figuresOf(contender.pid!).rssAnonBytes
      let sent = 0
      while (sent < 1_000_000)
        sent +=
          (await load(contender, { kind: 'send', properties, seconds: 2, warmupSeconds: 0 })).messagesPerSecond * 2
      await sleep(3)
      return `RssAnon ${((figuresOf(contender.pid!).rssAnonBytes - before) / MiB).toFixed(0)} MiB more than with few (${count(sent)} pending)`
    },
  },
  {
    name: 'delayed by 1 s, 10,000/s due: lateness',
    run: async contender => {
      const late = await endToEnd({
        namesrv: contender.namesrv,
        topic: 'Late',
        perSecond: 10_000,
        seconds: 5,
        delayLevel: { level: 1, ms: 1000 },
      })
      return `p50 ${(late.p50Us / 1000).toFixed(0)} ms, p99 ${(late.p99Us / 1000).toFixed(0)} ms (${count(late.received)} received)`
    },
  },
  {
    name: 'transactions: half message, commit; 16 connections x 8',
    run: async contender => {
      const { pid, namesrv } = contender
      await load(contender, { kind: 'send', topic: 'Trans', seconds: 0.5 })
      const broker = await brokerOf(namesrv, 'Trans')
      let committed = 0
      const sockets = await Promise.all(Array.from({ length: 16 }, () => connect(broker.host, broker.port)))
      for (const [index, socket] of sockets.entries()) transactionLane(socket, index, () => committed++)
      await sleep(3)
      const before = { committed, cpu: figuresOf(pid!).cpuSeconds }
      await sleep(4)
      const done = committed - before.committed
      const cpu = figuresOf(pid!).cpuSeconds - before.cpu
      for (const socket of sockets) socket.destroy()
      return `${((cpu * 1e6) / done).toFixed(1)} µs a transaction, ${count(done / 4)}/s`
    },
  },
]

type Socket = Awaited<ReturnType<typeof connect>>

function transactionLane(socket: Socket, index: number, committed: () => void): void {
  let id = 0
  const send = () => {
    const msgId = (index * 1e9 + id++).toString(16).toUpperCase().padStart(32, 'B')
    const header = {
      producerGroup: 'tx',
      topic: 'Trans',
      defaultTopic: 'TBW102',
      defaultTopicQueueNums: 8,
      queueId: index % 8,
      sysFlag: 4,
      bornTimestamp: Date.now(),
      flag: 0,
      properties: `UNIQ_KEY\u0001${msgId}\u0002TRAN_MSG\u0001true\u0002PGROUP\u0001tx`,
      unitMode: false,
      batch: false,
    }
    write(socket, sendMessageV2.code, writeFields(sendMessageV2.header, header), Buffer.alloc(128, 'x'))
  }
  const parser = new FrameParser()
  socket.on('data', chunk =>
    parser.push(chunk as Buffer, (bytes, start, end) => {
      const reply = decodeFrame(bytes, start, end)
      if (reply.extFields['queueOffset'] === undefined) return
      const msgId = reply.extFields['msgId'] ?? ''
      const verdict = {
        producerGroup: 'tx',
        tranStateTableOffset: Number(reply.extFields['queueOffset']),
        // The offset is the last eight bytes of the broker's message id.
        commitLogOffset: Number.parseInt(msgId.slice(16), 16),
        commitOrRollback: 8,
        fromTransactionCheck: false,
        msgId: reply.extFields['transactionId'] ?? '',
        transactionId: reply.extFields['transactionId'] ?? '',
      }
      write(socket, endTransaction.code, writeFields(endTransaction.header, verdict))
      committed()
      send()
    }),
  )
  for (let i = 0; i < window; i++) send()
}

function write(socket: Socket, code: number, extFields: Record<string, string>, body?: Buffer): void {
  const oneway = code === endTransaction.code ? 2 : 0
  socket.write(
    encodeFrame({ code, language: 0, version: 409, opaque: 1, flag: oneway, extFields, body, form: HeaderForm.json }),
  )
}
