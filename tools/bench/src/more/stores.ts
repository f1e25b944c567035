import { execFileSync, spawnSync } from 'node:child_process'
import { closeSync, ftruncateSync, mkdirSync, mkdtempSync, openSync, readFileSync, rmSync, writeSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { draftRecord, recordSize, writeBlankRecord, writeRecord } from '@skua-mq/protocol'
import { figuresOf } from '../process-figures.ts'
import { type Contender, startSkua } from '../servers.ts'
import { count, type Extra, idleCores, load, loadText, MiB, sleep } from './extra.ts'

/** Sends 1 KiB messages until the log has grown by so much. */
async function fill(contender: Contender, bytes: number, topic = 'Fill'): Promise<number> {
  let messages = 0
  while (messages * 1200 < bytes) {
    const shape = { kind: 'send', topic, bodyBytes: 1024, seconds: 1, warmupSeconds: 0 } as const
    messages += (await load(contender, shape)).messagesPerSecond
  }
  return messages
}

const recovery = (gib: number): Extra => ({
  name: `start after kill -9 with ${gib} GiB of 1 KiB messages`,
  settings: { mappedFileSizeCommitLog: 1024 * MiB },
  run: async contender => {
    await fill(contender, gib * 1024 * MiB)
    await sleep(1)
    const ms = await contender.restart!()
    return `${count(ms)} ms`
  },
})

/** A log of sparse 1 GiB files: each has a message and then nothing. */
function sparseLog(directory: string, files: number): void {
  mkdirSync(directory, { recursive: true })
  const size = 1024 * MiB
  for (let file = 0; file < files; file++) {
    const draft = draftRecord({
      topic: Buffer.from('Sparse'),
      body: Buffer.alloc(128, 'x'),
      queueOffset: file,
      physicalOffset: file * size,
      bornTimestamp: Date.now(),
      storeTimestamp: Date.now(),
      properties: Buffer.from(`UNIQ_KEY\u0001${file}`),
    })
    const bytes = Buffer.alloc(recordSize(draft) + 8)
    const end = writeRecord(bytes, 0, draft)
    const isLast = file === files - 1
    if (!isLast) writeBlankRecord(bytes, end, size - end)
    const handle = openSync(join(directory, String(file * size).padStart(20, '0')), 'w')
    writeSync(handle, bytes)
    ftruncateSync(handle, size)
    closeSync(handle)
  }
}

export const stores: readonly Extra[] = [
  recovery(1),
  recovery(5),
  {
    name: 'cost over age: send 128 B, 16 x 16, on an empty store / with 100 log files and 10,000 queues',
    skuaOnly: true,
    settings: { mappedFileSizeCommitLog: 32 * MiB, defaultTopicQueueNums: 8 },
    run: async contender => {
      const young = await loadText(contender, { kind: 'send', topic: 'Age' })
      await load(contender, {
        kind: 'send',
        topic: 'Many',
        topics: 1250,
        queues: 8,
        window: 1,
        seconds: 5,
        warmupSeconds: 0,
      })
      await fill(contender, 3300 * MiB)
      const old = await loadText(contender, { kind: 'send', topic: 'Age' })
      return `${young} / ${old}`
    },
  },
  {
    name: '10,000 topics x 4 queues and 50 files of 1 GiB (sparse): RssAnon, start after a clean stop',
    skuaOnly: true,
    run: async () => {
      const store = mkdtempSync(join(tmpdir(), 'skua-bench-wide-'))
      try {
        sparseLog(join(store, 'commitlog'), 50)
        const settings = { defaultTopicQueueNums: 4 }
        const first = await startSkua(settings, { store })
        for (let queue = 0; queue < 4; queue++) {
          const shape = {
            kind: 'send',
            topic: 'Wide',
            topics: 10_000,
            queues: 4,
            window: 16,
            warmupSeconds: 0,
          } as const
          await load(first, { ...shape, connections: 64, fixedQueue: queue, seconds: queue === 0 ? 12 : 4 })
        }
        const rss = figuresOf(first.pid!).rssAnonBytes / MiB
        const topics = execFileSync('ls', [join(store, 'consumequeue')])
          .toString()
          .trim()
          .split('\n').length
        const begun = performance.now()
        await first.stop({ keep: true })
        const stopMs = performance.now() - begun
        const second = await startSkua(settings, { store })
        const again = figuresOf(second.pid!).rssAnonBytes / MiB
        const cores = await idleCores(second.pid!, 5)
        await second.stop({ keep: true })
        return `${count(topics)} topics; RssAnon ${rss.toFixed(0)} MiB under load, ${again.toFixed(0)} MiB after the start; stopped in ${count(stopMs)} ms, ready after ${count(second.readyMs)} ms, then ${(cores * 100).toFixed(1)} % of a core`
      } finally {
        rmSync(store, { recursive: true, force: true })
      }
    },
  },
  {
    name: 'catch-up read of 5 GiB from disk (page cache dropped) beside a steady producer',
    run: async contender => {
      await fill(contender, 5120 * MiB)
      const producer = { kind: 'send', topic: 'Steady', connections: 4, window: 1, seconds: 4 } as const
      const alone = await load(contender, producer)
      await sleep(2)
      spawnSync('sync')
      if (spawnSync('sh', ['-c', 'echo 1 > /proc/sys/vm/drop_caches']).status !== 0)
        return 'the page cache could not be dropped'
      const read = () => Number(/read_bytes: (\d+)/.exec(readFileSync(`/proc/${contender.pid}/io`, 'utf8'))?.[1])
      const before = read()
      const [beside, reader] = await Promise.all([
        load(contender, producer),
        load(contender, { kind: 'pull', topic: 'Fill', bodyBytes: 1024, connections: 4, seconds: 4 }),
      ])
      const ms = (us: number) => (us / 1000).toFixed(2)
      return `p99 of sends ${ms(alone.p99Us)} ms alone, ${ms(beside.p99Us)} ms beside; ${count((read() - before) / MiB)} MiB really read, ${count(reader.messagesPerSecond)} messages/s`
    },
  },
]
