import assert from 'node:assert/strict'
import { randomBytes } from 'node:crypto'
import { after, test } from 'node:test'
import { connect, PullPace, putTopic, sendMessage } from '@skua-mq/admin'
import { SimClock } from '@skua-mq/runtime'
import { startStandalone } from 'skua'
import { maxPageBytes } from '../src/browse.ts'
import { bodyHolds } from '../src/endpoints/messages.ts'
import { ReadBudget } from '../src/read-budget.ts'
import { dash, eventsOf, get, linesOf, query } from './dash.ts'

/** A broker that gives all that is asked for, however large it is: 32 messages of these are more than a frame may have. */
const config = {
  brokerName: 'broker-a',
  maxTransferBytesOnMessageInMemory: 1_000_000_000,
  maxTransferBytesOnMessageInDisk: 1_000_000_000,
}
const skua = await startStandalone({ port: 0, store: 'memory', config })
const { namesrvAddr } = skua
const session = connect({ namesrvAddr })
// A budget of less than two messages: whoever asks beside others waits for his turn.
const listener = await dash({ namesrvAddr, clusters: undefined, maxReadBytes: 6 * 1024 * 1024 })
after(async () => {
  await listener.stop()
  await session.close()
  await skua.stop()
})

const body = randomBytes(4 * 1024 * 1024 - 3000)
/** Larger than one page reads. */
const total = Math.ceil(maxPageBytes / body.length) + 4
await putTopic(session, { clusterName: 'DefaultCluster' }, { topic: 'Big', readQueueNums: 1, writeQueueNums: 1 })
// Small ones come first: a pace that was learnt from them asks for many.
for (let i = 0; i < 40; i++) await sendMessage(session, { topic: 'Big', body: Buffer.from(`small ${i}`) })
for (let i = 0; i < total; i++) await sendMessage(session, { topic: 'Big', body })

interface Page {
  readonly rows: readonly { readonly queueOffset: number; readonly size: number; readonly cutBytes: number }[]
  readonly cursor: object
  readonly isEnd: boolean
}

test('a page of large bodies is read in small pieces, ends early, and goes on: nothing is left out', async () => {
  for (const from of ['newest', 'oldest']) {
    const seen: number[] = []
    let pages = 0
    for (let cursor: object | undefined; ; pages++) {
      const asked = {
        topic: 'Big',
        from,
        limit: 200,
        ...(cursor === undefined ? {} : { cursor: JSON.stringify(cursor) }),
      }
      const { status, body: got, text } = await get(listener, `/api/messages?${query(asked)}`)
      assert.equal(status, 200, text)
      const page = got as unknown as Page
      const bytes = page.rows.reduce((sum, { size }) => sum + size, 0)
      assert.ok(bytes <= maxPageBytes + 3 * body.length, `${bytes} bytes in a page`)
      for (const { size, cutBytes } of page.rows) assert.equal(size > 1000, cutBytes > size / 2)
      seen.push(...page.rows.map(({ queueOffset }) => queueOffset))
      if (page.isEnd) break
      cursor = page.cursor
    }
    assert.ok(pages >= 1, 'it is more than a page')
    const all = Array.from({ length: total + 40 }, (_, i) => i)
    assert.deepEqual(seen, from === 'newest' ? all.reverse() : all)
  }
})

test('several who look at once share what is held, and all are answered', async () => {
  const got = await Promise.all(
    [1, 2, 3, 4].map(() => get(listener, `/api/messages?${query({ topic: 'Big', from: 'newest', limit: 4 })}`)),
  )
  assert.deepEqual(
    got.map(({ status }) => status),
    [200, 200, 200, 200],
  )
})

test('a search reads large bodies to their ends', async () => {
  const { text } = await get(listener, `/api/messages/scan?${query({ topic: 'Big', text: 'no such text' })}`)
  const last = eventsOf(text).at(-2)!.data as { scanned: number }
  assert.equal(last.scanned, total + 40)
  const near = Buffer.concat([Buffer.alloc(64 * 1024 - 3, 0x61), Buffer.from('Grüße aus Ürümqi')])
  assert.ok(bodyHolds(near, 'grüße aus ürümqi'))
  assert.ok(!bodyHolds(near, 'grüße nach'))
  assert.ok(bodyHolds(Buffer.concat([Buffer.alloc(64 * 1024 - 3), Buffer.from('NeedLe')]), 'needle'))
})

test('delayed messages with large bodies are listed', async () => {
  for (let i = 0; i < 5; i++) await sendMessage(session, { topic: 'Big', body, properties: { DELAY: '18' } })
  const { status, body: got, text } = await get(listener, '/api/delayed')
  assert.equal(status, 200, text)
  assert.equal((got as unknown as { total: number }).total, 5)
})

test('a live tail shows the newest of large messages and counts the others', async () => {
  const gone = new AbortController()
  const response = await fetch(`${listener.url}api/tail?topic=Big&rate=200`, { signal: gone.signal })
  let shown = 0
  let skipped = 0
  let text = ''
  let isSent = false
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    text += chunk
    const events = eventsOf(text).map(({ data }) => data as { rows: unknown[]; skipped: number })
    if (events.length === 1 && !isSent) {
      isSent = true
      for (let i = 0; i < 12; i++) await sendMessage(session, { topic: 'Big', body })
    }
    shown = events.reduce((sum, { rows }) => sum + rows.length, 0)
    skipped = events.reduce((sum, one) => sum + one.skipped, 0)
    if (shown + skipped >= 12) break
  }
  gone.abort()
  assert.equal(shown + skipped, 12)
  assert.ok(shown >= 1 && skipped >= 1, `${shown} shown, ${skipped} skipped`)
})

test('a download has whole bodies, all of them, and says so in its last line', async () => {
  const response = await fetch(`${listener.url}api/messages/export?topic=Big`)
  assert.match(String(response.headers.get('content-disposition')), /attachment; filename="Big.jsonl"/)
  let lines = 0
  let rest: string[] = []
  let last: unknown
  for await (const chunk of response.body!.pipeThrough(new TextDecoderStream())) {
    if (!chunk.includes('\n')) {
      rest.push(chunk)
      continue
    }
    const parts = [...rest, chunk].join('').split('\n')
    rest = [parts.pop()!]
    for (const part of parts) {
      lines++
      last = JSON.parse(part)
      const { row, body: told } = last as { row?: { size: number }; body: { content: string; isCut: boolean } }
      if (row !== undefined && row.size > 1000)
        assert.ok(!told.isCut && Buffer.from(told.content, 'base64').equals(body))
    }
  }
  const messages = total + 40 + 12
  assert.deepEqual([lines, last], [messages + 1, { end: { reason: 'all', messages, unreadable: 0, problem: null } }])
  const some = linesOf((await get(listener, '/api/messages/export?topic=Big&limit=5')).text)
  assert.deepEqual(some.at(-1), { end: { reason: 'limit', messages: 5, unreadable: 0, problem: null } })
})

test('a download waits for its reader, and ends when he goes', async () => {
  const gone = new AbortController()
  const response = await fetch(`${listener.url}api/messages/export?topic=Big`, { signal: gone.signal })
  const reader = response.body!.getReader()
  await reader.read()
  gone.abort()
  // All four places are free again, so it has ended at the server as well.
  const rounds = Array.from({ length: 8 }, async () => {
    for (let tries = 0; tries < 200; tries++) {
      const { status } = await get(listener, '/api/messages/export?topic=Big&limit=1')
      if (status === 200) return status
      await new Promise(resolve => setTimeout(resolve, 20))
    }
    return 503
  })
  assert.ok((await Promise.all(rounds)).every(status => status === 200))
})

test('a pace believes a large message at once, and small ones little by little', () => {
  const pace = new PullPace()
  const sized = (length: number, n: number) =>
    Array.from({ length: n }, () => ({ storeSize: length, body: { length } }))
  const counts = [pace.count]
  for (const length of [100, 100, 100, 100]) {
    pace.saw(sized(length, pace.count))
    counts.push(pace.count)
  }
  assert.deepEqual(counts, [3, 6, 12, 24, 32])
  pace.saw(sized(4_000_000, 1))
  assert.equal(pace.count, 1)
  pace.saw(sized(100, 1))
  assert.equal(pace.count, 1)
})

test('what is held together is bounded: who comes late waits, in his turn, and not for ever', async () => {
  const clock = new SimClock()
  const budget = new ReadBudget(clock, 100)
  const ends: (() => void)[] = []
  const order: string[] = []
  const hold = (name: string, bytes: number) =>
    budget.use(bytes, () => {
      order.push(name)
      return new Promise<void>(resolve => ends.push(resolve))
    })
  const first = hold('first', 60)
  const whole = hold('whole', 1_000)
  const small = hold('small', 10)
  await Promise.resolve()
  assert.deepEqual([order, budget.heldBytes], [['first'], 60])
  ends.shift()!()
  await first
  await new Promise(resolve => setImmediate(resolve))
  assert.deepEqual([order, budget.heldBytes], [['first', 'whole'], 100])
  const refused = assert.rejects(small, /maxReadBytes/)
  clock.advance(15_001)
  await refused
  ends.shift()!()
  await whole
  assert.equal(budget.heldBytes, 0)
})
