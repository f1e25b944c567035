import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { GetRequest, GetResult, type StoreConfig } from '../../src/index.ts'
import { ColdRead, recordUnreadable } from '../../src/read/cold-read.ts'
import { BareStore } from '../bare-store.ts'
import { bodiesOf, draftOf, type Message, message } from '../harness.ts'

const kib = 1024
/** Files of several blocks. */
const wide: Partial<StoreConfig> = {
  mappedFileSizeCommitLog: 1024 * kib,
  logChunkBytes: 64 * kib,
  maxTransferBytesOnMessageInMemory: 2048 * kib,
}

/** Messages that lie in the log's files and no more in memory. */
class Cold extends BareStore {
  readonly read: ColdRead

  constructor(messages: readonly Message[], config: Partial<StoreConfig> = {}) {
    super(config)
    this.read = new ColdRead({ ...this.parts, config: this.parts.config })
    this.put(...messages)
  }

  put(...messages: Message[]): void {
    for (const each of messages) {
      this.parts.appender.append(draftOf(each), { stored: ({ status }) => assert.equal(status, 'ok') })
      this.turn.run()
    }
    this.parts.log.ring.cut(0)
  }

  async later(request: Partial<GetRequest> & { topic: string }): Promise<GetResult> {
    const result = Object.assign(new GetResult(), { status: 'noMatchedMessage' })
    await this.read.later(this.queue(request.topic)!, Object.assign(new GetRequest(), request), result)
    return result
  }

  /** Undefined where it is not in memory. */
  now(request: Partial<GetRequest> & { topic: string }): GetResult | undefined {
    const result = new GetResult()
    const isThere = this.read.now(this.queue(request.topic)!, Object.assign(new GetRequest(), request), result)
    return isThere ? result : undefined
  }
}

const bodies = ({ slices }: GetResult): string[] => bodiesOf(Buffer.concat(slices)).map(text => text.slice(0, 4))
const pins = ({ pinned }: GetResult): number[] => pinned.map(pin => pin.pins)
const range = (count: number, from = 0): string[] =>
  Array.from({ length: count }, (_, i) => `${from + i}`.padStart(4, '0'))
const messages = (topic: string, count: number, options: { from?: number; pad?: number; properties?: string } = {}) =>
  range(count, options.from).map(text => message(topic, text.padEnd(options.pad ?? 4, '.'), options.properties))
/** Messages of two queues in turns: no two of one lie side by side. */
const mixed = (count: number, pad = 4): Message[] =>
  range(count).flatMap(text => ['T', 'U'].map(topic => message(topic, text.padEnd(pad, '.'))))
const noReads = { on: 'read', code: 'EIO' } as const

describe('ColdRead', () => {
  test('what was read for one serves its neighbours, and whoever comes again at once', async () => {
    const at = new Cold(mixed(3))
    assert.equal(at.now({ topic: 'T' }), undefined)
    const first = await at.later({ topic: 'T' })
    assert.deepEqual([bodies(first), first.status, first.count, first.nextOffset], [range(3), 'found', 3, 3])
    assert.equal(first.bytes, Buffer.concat(first.slices).length)
    const { log } = at.parts
    assert.equal(first.lagBytes, log.written - 4 * (first.bytes / 3))
    at.disk.faults.fail(noReads)
    assert.deepEqual(bodies(await at.later({ topic: 'U', offset: 1 })), range(2, 1))
    assert.deepEqual(bodies(at.now({ topic: 'U', offset: 1 })!), range(2, 1))
    assert.deepEqual(bodies(at.now({ topic: 'T', offset: 2 })!), range(1, 2))
    assert.equal(at.now({ topic: 'U', offset: 0 }), undefined, 'before what was read of the queue')
  })

  test('what is answered is pinned once for each piece until it is released, and nothing else is', async () => {
    const at = new Cold(mixed(3))
    const one = await at.later({ topic: 'T', maxCount: 1 })
    assert.deepEqual(pins(one), [1])
    const block = one.pinned[0]!
    const two = at.now({ topic: 'T' })!
    assert.deepEqual([two.pinned.every(pin => pin === block), block.pins], [true, 4])
    one.release()
    assert.equal(block.pins, 3)
    two.release()
    assert.equal(block.pins, 0)
  })

  test('two who read at once share the read; each has its own pins', async () => {
    const at = new Cold(mixed(2))
    at.disk.faults.slow({ on: 'read', ms: 10 })
    at.disk.faults.fail({ ...noReads, skip: 1 })
    const both = Promise.all([at.later({ topic: 'T', maxCount: 1 }), at.later({ topic: 'U', maxCount: 1 })])
    const [one, two] = await at.clock.until(both)
    assert.deepEqual([bodies(one), bodies(two), pins(one), pins(two)], [range(1), range(1), [2], [2]])
    one.release()
    assert.deepEqual(pins(two), [1])
  })

  test('a read that fails leaves no pin on what it had already', async () => {
    const at = new Cold(messages('T', 20, { pad: 30 * kib }), wide)
    // Of two blocks.
    const request = { topic: 'T', maxCount: 12 }
    at.disk.faults.fail({ ...noReads, code: 'EMFILE', skip: 1, times: 1 })
    await assert.rejects(at.later(request), /EMFILE/)
    const result = await at.later(request)
    assert.deepEqual(bodies(result).slice(0, 3), range(3))
    assert.ok(result.pinned.length > 0)
    const counts = new Map<object, number>()
    for (const pin of result.pinned) counts.set(pin, (counts.get(pin) ?? 0) + 1)
    assert.equal(counts.size, 2)
    for (const pin of result.pinned) assert.equal(pin.pins, counts.get(pin))
    assert.equal(at.now({ topic: 'T', offset: 19 }), undefined, 'its unit is in memory, its block is not')
  })

  test('a bad place of the disk keeps none of its neighbours, before it and behind it', async () => {
    for (const pad of [1000, 60 * kib, 200 * kib]) {
      const at = new Cold(messages('T', 9, { pad }), { ...wide, maxMessageSize: 1024 * kib })
      const entry = { physicalOffset: 0, size: 0, tagsCode: 0 }
      at.queue('T')!.entries(2, [entry])
      const from = entry.physicalOffset % (1024 * kib)
      at.disk.faults.fail({ ...noReads, path: 'commitlog', place: [from, from + entry.size] })
      const before = await at.later({ topic: 'T' })
      assert.deepEqual([bodies(before), before.nextOffset, before.status], [range(2), 2, 'found'], `${pad}`)
      await assert.rejects(at.later({ topic: 'T', offset: 2 }), /EIO/)
      const behind = await at.later({ topic: 'T', offset: 3 })
      assert.deepEqual(bodies(behind).slice(0, 1), range(1, 3), `${pad}`)
    }
  })

  test('records that lie in two blocks are put together, large ones are read by themselves', async () => {
    const texts = [...messages('T', 9, { pad: 60 * kib }), ...messages('T', 1, { from: 9, pad: 200 * kib })]
    const at = new Cold([...texts, ...messages('T', 2, { from: 10, pad: 1000 })], {
      ...wide,
      maxMessageSize: 1024 * kib,
    })
    const result = await at.later({ topic: 'T' })
    assert.deepEqual(bodies(result), range(12))
    for (const body of bodiesOf(Buffer.concat(result.slices))) assert.match(body, /^\d{4}\.+$/)
    assert.equal(at.now({ topic: 'T', offset: 9, maxCount: 1 }), undefined, 'a large one is kept by nobody')
    at.disk.faults.fail(noReads)
    assert.deepEqual(bodies(at.now({ topic: 'T', offset: 3, maxCount: 3 })!), range(3, 3))
  })

  test('many pieces are copied into one, whose memory is another answer’s only when it was released', async () => {
    const at = new Cold(mixed(12, 500))
    const few = await at.later({ topic: 'T', maxCount: 4 })
    assert.deepEqual([few.slices.length, bodies(few)], [4, range(4)])
    const one = await at.later({ topic: 'T', maxCount: 5 })
    const two = await at.later({ topic: 'T', offset: 5, maxCount: 6 })
    const three = at.now({ topic: 'U', offset: 6 }) ?? (await at.later({ topic: 'U', offset: 6 }))
    assert.deepEqual(
      [one, two, three].map(({ slices }) => slices.length),
      [1, 1, 1],
    )
    assert.deepEqual([bodies(one), bodies(two), bodies(three)], [range(5), range(6, 5), range(6, 6)])
    assert.deepEqual([pins(one), pins(two), pins(three)], [[1], [1], [1]])
    const memory = one.slices[0]!.buffer
    one.release()
    const four = await at.later({ topic: 'T', maxCount: 5 })
    assert.equal(four.slices[0]!.buffer, memory)
    assert.deepEqual([bodies(four), bodies(two)], [range(5), range(6, 5)])
    four.release()
    assert.deepEqual(bodies(await at.later({ topic: 'T' })), range(12), 'more than it holds')
  })

  test('as many as are wanted and allowed, the first one however long it is', async () => {
    const at = new Cold(messages('T', 40, { pad: 500 }), { ...wide, maxTransferCountOnMessageInMemory: 20 })
    const count = async (request: Partial<GetRequest>) => {
      const result = await at.later({ topic: 'T', ...request })
      assert.equal(result.nextOffset, result.count + (request.offset ?? 0))
      assert.equal(result.slices.length, 1, 'they lie side by side')
      return result.count
    }
    assert.equal(await count({ maxCount: 7 }), 7)
    assert.equal(await count({ maxCount: 32 }), 20)
    assert.equal(await count({ maxBytes: 1 }), 1)
    assert.equal(await count({ maxBytes: 1500 }), 2)
    assert.equal(await count({ offset: 38 }), 2)
    const far = new Cold(messages('T', 40), { ...wide, totalMemoryBytes: 1, maxTransferCountOnMessageInDisk: 3 })
    assert.equal((await far.later({ topic: 'T' })).count, 3)
  })

  test('filters by tag and by record; what was looked at is behind, also where nothing is for the reader', async () => {
    const at = new Cold([
      ...messages('T', 3, { properties: 'TAGS\x01a' }),
      ...messages('T', 3, { from: 3, properties: 'TAGS\x01b' }),
    ])
    at.queue('T')!.fillTo(9)
    at.put(...messages('T', 2, { from: 9, properties: 'TAGS\x01a' }))
    const tag = 'a'.charCodeAt(0)
    const byTag = { matchesTag: (hash: number) => hash === tag }
    const some = await at.later({ topic: 'T', filter: byTag })
    assert.deepEqual([bodies(some), some.nextOffset], [[...range(3), ...range(2, 9)], 11])
    assert.deepEqual([(await at.later({ topic: 'T' })).count, (await at.later({ topic: 'T' })).nextOffset], [8, 11])
    const none = await at.later({ topic: 'T', filter: { matchesTag: () => false } })
    assert.deepEqual([none.status, none.count, none.nextOffset], ['noMatchedMessage', 0, 11])
    const matchesRecord = (bytes: Uint8Array, start: number, end: number) =>
      Number(bodiesOf(Buffer.from(bytes.subarray(start, end)))[0]) % 2 === 1
    const odd = await at.later({ topic: 'T', filter: { matchesTag: () => true, matchesRecord } })
    assert.deepEqual([bodies(odd), odd.nextOffset], [['0001', '0003', '0005', '0009'], 11])
  })

  test('a file that went away, before or while its neighbour is read: what is left is answered', async () => {
    const at = new Cold(messages('T', 12, { pad: 3000 }))
    const { segments } = at.parts.log
    const { base } = segments.all[1]!
    const gone = Math.floor(base / 3000)
    at.disk.faults.slow({ on: 'read', ms: 10, path: segments.first!.path })
    const reading = at.later({ topic: 'T', maxCount: 12 })
    await at.clock.advanceAsync(5)
    await segments.removeFirst()
    const result = await at.clock.until(reading)
    assert.ok(bodies(result).length === 12 || bodies(result)[0] === range(1, gone)[0])
    const told: string[] = []
    at.events.subscribe(({ name }) => told.push(name))
    const left = await at.later({ topic: 'T', offset: 1, maxCount: 12 })
    assert.deepEqual([bodies(left), left.status, left.nextOffset], [range(12 - gone, gone), 'found', 12])
    const none = await at.later({ topic: 'T', offset: 1, maxCount: 1 })
    assert.deepEqual([none.status, none.count], ['messageWasRemoving', 0])
    assert.deepEqual(told, [], 'that is no damage')
  })

  test('what was read before the log had grown is read again', async () => {
    const at = new Cold(messages('T', 2))
    assert.deepEqual(bodies(await at.later({ topic: 'T' })), range(2))
    at.put(...messages('T', 2, { from: 2 }))
    assert.equal(at.now({ topic: 'T' }), undefined)
    assert.deepEqual(bodies(await at.later({ topic: 'T' })), range(4))
  })

  test('a damaged message is left out, and named once', async () => {
    const at = new Cold(messages('T', 4))
    const size = at.parts.log.written / 4
    at.disk.open(at.parts.log.segments.first!.path, 'write').writeSync(Buffer.alloc(20), 0, 20, size)
    const named: unknown[] = []
    at.events.subscribe(({ name, fields }) => name === recordUnreadable.eventName && named.push(fields.offset))
    for (let round = 0; round < 2; round++) {
      const result = await at.later({ topic: 'T' })
      assert.deepEqual([bodies(result), result.nextOffset], [['0000', '0002', '0003'], 4])
    }
    assert.deepEqual(named, [size])
  })

  for (const [what, place, bytes] of [
    ['the length of its body', 84, [0, 0, 1, 0]],
    ['its place in the log', 28, [0, 0, 0, 1]],
    // As a page that was never written leaves it.
    ['its end', 92, [0, 0, 0, 0]],
  ] as const)
    test(`a message of which ${what} is damaged is left out: whoever takes the answer apart would miss those behind it`, async () => {
      const at = new Cold(messages('T', 4))
      const size = at.parts.log.written / 4
      at.disk
        .open(at.parts.log.segments.first!.path, 'write')
        .writeSync(Buffer.from(bytes), 0, bytes.length, size + place)
      const result = await at.later({ topic: 'T' })
      assert.deepEqual([bodies(result), result.nextOffset], [['0000', '0002', '0003'], 4])
    })

  test('units that are lost are passed by up to the next file of the queue', async () => {
    const at = new Cold(messages('T', 30))
    at.queue('T')!.dropAll()
    const passed = async (offset: number) => {
      const { status, nextOffset } = await at.later({ topic: 'T', offset })
      return [status, nextOffset]
    }
    assert.deepEqual(await passed(5), ['offsetFoundNull', 20])
    assert.deepEqual(await passed(20), ['offsetFoundNull', 30])
  })

  test('a queue that begins anew while its units are read gives nothing of its former life', async () => {
    const at = new Cold(messages('T', 10))
    const queue = at.queue('T')!
    queue.flush()
    queue.dropAll()
    at.disk.faults.slow({ on: 'read', ms: 10, path: 'consumequeue' })
    const reading = at.later({ topic: 'T' })
    await at.clock.advanceAsync(5)
    queue.startAt(0)
    queue.push({ physicalOffset: 0, size: 100, tagsHigh: 0, tagsLow: 0 })
    const result = await at.clock.until(reading)
    assert.deepEqual([result.status, result.count], ['offsetFoundNull', 0])
  })
})
