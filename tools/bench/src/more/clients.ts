import { encodeFrame, getRouteInfoByTopic, HeaderForm, writeFields } from '@skua-mq/protocol'
import { pullFrame } from '../frames.ts'
import { brokerOf, connect } from '../load.ts'
import { figuresOf } from '../process-figures.ts'
import { ReplyScan } from '../reply-scan.ts'
import { count, type Extra, idleCores, load, MiB, sleep } from './extra.ts'

/** RssAnon before and with something, and the CPU that it takes while idle. */
async function held(pid: number, open: () => Promise<() => void>): Promise<string> {
  const before = figuresOf(pid).rssAnonBytes
  const close = await open()
  await sleep(2)
  const cores = await idleCores(pid, 8)
  const grown = (figuresOf(pid).rssAnonBytes - before) / MiB
  close()
  return `${(cores * 100).toFixed(2)} % of a core, RssAnon ${grown >= 0 ? '+' : ''}${grown.toFixed(0)} MiB`
}

export const clients: readonly Extra[] = [
  {
    name: '10,000 held pulls on 100 connections, idle',
    run: async contender => {
      await load(contender, { kind: 'send', seconds: 0.5 })
      const broker = await brokerOf(contender.namesrv, 'More')
      return held(contender.pid!, async () => {
        const sockets = await Promise.all(Array.from({ length: 100 }, () => connect(broker.host, broker.port)))
        const shape = { topic: 'More', queues: 8, bodyBytes: 128, batch: 1, form: 'json' } as const
        for (const socket of sockets) {
          socket.on('data', () => {})
          for (let i = 0; i < 100; i++)
            socket.write(pullFrame(shape, { queueId: i % 8, offset: 1_000_000_000, suspendMs: 60_000 }))
        }
        return () => {
          for (const socket of sockets) socket.destroy()
        }
      })
    },
  },
  {
    name: '1,000 connected clients, idle',
    run: async contender => {
      const broker = await brokerOf(contender.namesrv, 'TBW102')
      return held(contender.pid!, async () => {
        const sockets = await Promise.all(Array.from({ length: 1000 }, () => connect(broker.host, broker.port)))
        return () => {
          for (const socket of sockets) socket.destroy()
        }
      })
    },
  },
  {
    name: 'name server: route lookups (10,000 clients ask every 30 s, which is 333/s a topic), 100 connections x 4',
    run: async contender => {
      await load(contender, { kind: 'send', seconds: 0.5 })
      const pid = contender.namesrvPid ?? contender.pid!
      const [host = '', port = ''] = contender.namesrv.split(':')
      const frame = encodeFrame({
        code: getRouteInfoByTopic.code,
        language: 0,
        version: 409,
        opaque: 1_000_000_000,
        flag: 0,
        extFields: writeFields(getRouteInfoByTopic.header, { topic: 'More' }),
        form: HeaderForm.json,
      })
      let answers = 0
      const sockets = await Promise.all(Array.from({ length: 100 }, () => connect(host, Number(port))))
      for (const socket of sockets) {
        const scan = new ReplyScan()
        socket.on('data', chunk =>
          scan.push(chunk as Buffer, () => {
            answers++
            socket.write(frame)
          }),
        )
        for (let i = 0; i < 4; i++) socket.write(frame)
      }
      await sleep(3)
      const before = { answers, cpu: figuresOf(pid).cpuSeconds }
      await sleep(3)
      const cpu = figuresOf(pid).cpuSeconds - before.cpu
      const asked = answers - before.answers
      for (const socket of sockets) socket.destroy()
      return `${((cpu * 1e6) / asked).toFixed(1)} µs a lookup, ${count(asked / 3)}/s`
    },
  },
]
