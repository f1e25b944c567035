import { figuresOf } from '../process-figures.ts'
import { count, type Extra, load, loadText } from './extra.ts'

const topics = (number: number): Extra => ({
  name: `send 128 B, 16 x 16, over ${count(number)} topics`,
  settings: { defaultTopicQueueNums: 1, maxOpenFiles: 50_000 },
  run: async contender => {
    // Every topic is made by its first send, which is not what is measured.
    await load(contender, {
      kind: 'send',
      topics: number,
      queues: 1,
      connections: 64,
      window: 16,
      seconds: number / 500,
      warmupSeconds: 0,
    })
    return loadText(contender, { kind: 'send', topics: number, queues: 1 })
  },
})

const consumers = (connections: number): Extra => ({
  name: `consume from the page cache, 32 a pull, 1 KiB, ${connections} consumer${connections > 1 ? 's' : ''}`,
  run: async contender => {
    await load(contender, { kind: 'send', bodyBytes: 1024, seconds: 2 })
    return loadText(contender, { kind: 'pull', connections, bodyBytes: 1024 })
  },
})

/** Sends and pulls of one topic at a time; CPU per message sent. */
const beside = (name: string, pulls: number): Extra => ({
  name,
  run: async contender => {
    await load(contender, { kind: 'send', bodyBytes: 1024, seconds: 1 })
    const before = figuresOf(contender.pid!).cpuSeconds
    const begun = performance.now()
    const [sent, pulled] = await Promise.all([
      load(contender, { kind: 'send', bodyBytes: 1024, connections: 8, window: 8, warmupSeconds: 0, seconds: 4 }),
      load(contender, {
        kind: 'pull',
        bodyBytes: 1024,
        connections: pulls,
        suspendMs: 15_000,
        warmupSeconds: 0,
        seconds: 4,
      }),
    ])
    const cpu = figuresOf(contender.pid!).cpuSeconds - before
    const seconds = (performance.now() - begun) / 1000
    const messages = (sent.messagesPerSecond + pulled.messagesPerSecond) * 4
    return `${((cpu * 1e6) / messages).toFixed(2)} µs a message sent or pulled; ${count(sent.messagesPerSecond)} sent and ${count(pulled.messagesPerSecond)} pulled/s; ${(cpu / seconds).toFixed(2)} cores`
  },
})

export const loads: readonly Extra[] = [
  {
    name: 'send 64 KiB, 16 x 4 in flight',
    run: contender => loadText(contender, { kind: 'send', window: 4, bodyBytes: 65_536 }),
  },
  {
    name: 'send 128 B, 16 x 16, binary headers',
    run: contender => loadText(contender, { kind: 'send', form: 'binary' }),
  },
  topics(1),
  topics(1000),
  topics(10_000),
  consumers(1),
  consumers(8),
  consumers(32),
  beside('send 1 KiB and consume it, 8 x 8 and 8 consumers', 8),
  beside('fan-out 1:8: send 1 KiB on 8 queues, 64 consumers', 64),
  {
    name: 'consume by SQL92, 1 of 10 matches, 1 KiB (a message pulled or passed over)',
    settings: { enablePropertyFilter: true },
    run: async contender => {
      for (const number of [1, 2, 3, 4, 5, 6, 7, 8, 9, 10])
        await load(contender, {
          kind: 'send',
          bodyBytes: 1024,
          properties: `\u0002number\u0001${number}\u0002colour\u0001red`,
          seconds: 0.1,
          warmupSeconds: 0,
        })
      return loadText(contender, { kind: 'pull', sql: "number BETWEEN 3 AND 3 AND colour = 'red'", connections: 8 })
    },
  },
]
