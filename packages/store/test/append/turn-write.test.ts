import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { encodeBatch } from '@skua-mq/protocol'
import type { PutResult, StoreConfig } from '../../src/index.ts'
import { BareStore } from '../bare-store.ts'
import { draftOf, type Message, message } from '../harness.ts'

/** Appends, and what was told of them and of arrivals, in this order. */
class Taking extends BareStore {
  readonly told: string[] = []

  constructor(config: Partial<StoreConfig> = {}) {
    super(config)
    const arrived = (topic: string, queueId: number, max: number) => this.told.push(`${topic}/${queueId} has ${max}`)
    this.parts.turnWrite.onArrival({ arrived })
  }

  append(...messages: Message[]): void {
    for (const each of messages) {
      const name = nameOf(String(each.body))
      this.parts.appender.append(draftOf(each), { stored: result => this.told.push(`${name}: ${textOf(result)}`) })
    }
  }

  /** What was told since the last time. */
  get news(): string[] {
    return this.told.splice(0)
  }

  /** Bodies of the log from its begin to its end, which must be the end of a record. */
  bodies(): string[] {
    const { log, reader } = this.parts
    const bodies: string[] = []
    let at = 0
    while (at < log.end) {
      const record = reader.recordSync(at)
      if (record === undefined) at += log.segments.size - (at % log.segments.size)
      else {
        bodies.push(nameOf(record.toString('utf8', 88, 88 + record.readInt32BE(84))))
        at += record.length
      }
    }
    assert.equal(at, log.end, 'the log ends where a record does')
    return bodies
  }
}

const textOf = ({ status, physicalOffset, queueOffset, count }: PutResult) =>
  physicalOffset < 0 ? `${status} ${count}` : `${status} at ${queueOffset}`

/** Large messages have their names before dots. */
const nameOf = (body: string): string => body.replace(/\.+$/, '')
const large = (name: string): Message => message('T', name.padEnd(3000, '.'))

describe('TurnWrite', () => {
  test('a turn is one write; its messages are in their queue when they are answered, and then listeners hear of them', () => {
    const at = new Taking()
    at.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', skip: 1 })
    at.append(message('T', 'a'), message('U', 'b'), message('T', 'c'))
    assert.deepEqual([at.news, at.queue('T')?.maxOffset, at.parts.log.written], [[], 0, 0])
    let seen = -1
    at.parts.appender.append(draftOf(message('T', 'd')), { stored: () => (seen = at.queue('T')!.maxOffset) })
    at.turn.run()
    assert.equal(seen, 3)
    assert.deepEqual(at.news, ['a: ok at 0', 'b: ok at 0', 'c: ok at 1', 'T/0 has 3', 'U/0 has 1'])
    assert.equal(at.parts.log.written, at.parts.log.end)
    assert.deepEqual(at.bodies(), ['a', 'b', 'c', 'd'])
    at.turn.run()
    assert.deepEqual(at.news, [])
  })

  test('each turn tells of its arrivals; after a stop nobody is told', () => {
    const at = new Taking()
    for (const [name, max] of [
      ['a', 1],
      ['b', 2],
    ] as const) {
      at.append(message('T', name))
      at.turn.run()
      assert.deepEqual(at.news, [`${name}: ok at ${max - 1}`, `T/0 has ${max}`])
    }
    at.parts.turnWrite.stop()
    at.append(message('T', 'c'))
    at.turn.run()
    assert.deepEqual(at.news, ['c: ok at 2'])
  })

  test('queue entries lead to the records, those of a batch too; a prepared message has none, nor an inner batch of 5.x', () => {
    const at = new Taking()
    const batch = Object.entries({ two: '', three: 'TAGS\x01t' }).map(([body, properties]) => ({
      ...{ flag: 0, body: Buffer.from(body), properties: Buffer.from(properties) },
    }))
    at.append(message('T', 'one', 'KEYS\x01k'))
    at.parts.appender.appendBatch(draftOf({ ...message('T', ''), body: encodeBatch(batch) }), { stored: () => {} })
    for (const sysFlag of [4, 0xc0])
      at.parts.appender.append(Object.assign(draftOf(message('T', 'none')), { sysFlag }), { stored: () => {} })
    at.append(message('T', 'four'))
    at.turn.run()
    const entries = Array.from({ length: 9 }, () => ({ physicalOffset: 0, size: 0, tagsCode: 0 }))
    const count = at.queue('T')!.entries(0, entries)
    const bodies = entries.slice(0, count).map(({ physicalOffset, size }, place) => {
      const record = at.parts.reader.recordSync(physicalOffset)!
      assert.equal(record.length, size)
      assert.equal(Number(record.readBigInt64BE(20)), place, 'the record says where its entry is')
      return record.toString('utf8', 88, 88 + record.readInt32BE(84))
    })
    assert.deepEqual(bodies, ['one', 'two', 'three', 'four'])
    assert.deepEqual(
      entries.slice(0, count).map(({ tagsCode }) => tagsCode),
      [0, 0, 't'.charCodeAt(0), 0],
    )
  })

  test('under SYNC_FLUSH nobody is answered before the fdatasync has ended', async () => {
    const at = new Taking({ flushDiskType: 'SYNC_FLUSH' })
    at.disk.faults.slow({ on: 'sync', ms: 50, path: 'commitlog' })
    at.append(message('T', 'a'))
    at.parts.appender.append(Object.assign(draftOf(message('T', 'b')), { waitStored: false }), {
      stored: () => at.told.push('b needs not wait'),
    })
    at.turn.run()
    assert.deepEqual(at.news, ['b needs not wait', 'T/0 has 2'])
    await at.clock.advanceAsync(49)
    at.turn.run()
    assert.deepEqual(at.news, [])
    await at.clock.advanceAsync(1)
    at.turn.run()
    assert.deepEqual(at.news, ['a: ok at 0'])
  })

  for (const flushDiskType of ['ASYNC_FLUSH', 'SYNC_FLUSH'] as const)
    for (const room of [0, 10, 4000, 9000, 20_000])
      test(`${flushDiskType}: a turn for whose half there is room, ${room} bytes, is taken back whole, and everybody is told so`, async () => {
        const at = new Taking({ flushDiskType })
        const answered = async () => {
          at.turn.run()
          await at.clock.advanceAsync(0)
          at.turn.run()
          return at.news.filter(line => !line.startsWith('T/'))
        }
        at.append(message('T', 'before'))
        assert.deepEqual(await answered(), ['before: ok at 0'])
        const { written } = at.parts.log
        at.disk.faults.bytesUntilFull = room
        const names = Array.from({ length: 8 }, (_, i) => `lost${i}`)
        at.append(...names.map(large))
        assert.deepEqual(
          await answered(),
          names.map(name => `${name}: failed 0`),
        )
        const { log } = at.parts
        assert.deepEqual([log.end, log.written, log.ring.newest?.used], [written, written, written])
        assert.deepEqual([at.queue('T')?.maxOffset, at.queue('T')?.nextOffset], [1, 1])
        at.append(message('T', 'refused'))
        assert.deepEqual(at.news, ['refused: serviceNotAvailable 0'])
        assert.match(at.parts.health.refusing?.remark ?? '', /ENOSPC|ESHORTWRITE/)
        assert.deepEqual(await answered(), [])
        at.disk.faults.clear()
        await at.clock.advanceAsync(2000)
        assert.equal(at.parts.health.refusing, undefined)
        at.append(...['x', 'y', 'z', 'v', 'w', 'u'].map(large))
        await answered()
        assert.equal(at.queue('T')?.maxOffset, 7)
        assert.deepEqual(at.bodies(), ['before', 'x', 'y', 'z', 'v', 'w', 'u'])
        log.ring.cut(0)
        assert.equal(at.bodies().length, 7, 'in the files, too')
      })

  test('where the next file cannot be made, what has room is stored, and the rest is told at once', async () => {
    const at = new Taking()
    at.append(...['a', 'b', 'c', 'd', 'e'].map(large))
    at.disk.faults.fail({ on: 'open', code: 'ENOSPC', path: 'commitlog/00000000000000016384' })
    at.append(large('f'))
    assert.deepEqual(at.news, ['f: failed 0'])
    at.append(message('T', 'small'))
    assert.deepEqual(at.news, ['small: serviceNotAvailable 0'])
    at.turn.run()
    assert.deepEqual(at.news, [...'abcde'].map((name, i) => `${name}: ok at ${i}`).concat('T/0 has 5'))
    assert.equal(at.bodies().length, 5)
    at.disk.faults.clear()
    await at.clock.advanceAsync(2000)
    at.append(large('g'))
    at.turn.run()
    assert.deepEqual(at.news, ['g: ok at 5', 'T/0 has 6'])
  })

  test('a turn that grows long is written before its end', () => {
    const at = new Taking({ logRingBytes: 16_384 })
    at.append(large('a'), large('b'), large('c'))
    assert.equal(at.parts.log.written, 0)
    at.append(large('d'))
    assert.ok(at.parts.log.written > 9000 && at.parts.log.unwritten > 3000)
    assert.deepEqual(at.news, [])
    at.disk.faults.fail({ on: 'write', code: 'EIO', path: 'commitlog', times: 1 })
    at.turn.run()
    assert.deepEqual(at.news, [...[...'abc'].map((name, i) => `${name}: ok at ${i}`), 'd: failed 0', 'T/0 has 3'])
  })
})
