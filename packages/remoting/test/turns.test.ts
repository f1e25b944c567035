import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { SimClock, SimTurn } from '@skua-mq/runtime'
import { bytesPerMs, Later, turnWorkMs, type Waiting } from '../src/later.ts'
import { SendQueue } from '../src/send-queue.ts'
import { TurnShare } from '../src/turn-share.ts'
import { Waits, waitKinds } from '../src/waits.ts'

function world() {
  const clock = new SimClock()
  const turn = new SimTurn()
  const later = new Later(clock, turn)
  return { clock, turn, later }
}

describe('those who go on in another turn', () => {
  test('go on in the order in which they stopped, each once', () => {
    const { turn, later } = world()
    const went: number[] = []
    const one = (n: number): Waiting => ({ proceed: () => went.push(n) })
    for (const n of [3, 1, 2]) later.add(one(n))
    turn.run()
    assert.deepEqual(went, [3, 1, 2])
    turn.run()
    assert.deepEqual(went, [3, 1, 2])
    assert.equal(turn.pending, false)
  })

  test('that stop again in the same turn stand behind all others, and wait for the next', () => {
    const { turn, later } = world()
    const went: string[] = []
    const again = (name: string, times: number): Waiting => {
      const self = {
        proceed: () => {
          went.push(name)
          if (--times > 0) later.add(self)
        },
      }
      return self
    }
    later.add(again('a', 3))
    later.add(again('b', 1))
    later.add(again('c', 2))
    turn.run()
    assert.deepEqual(went, ['a', 'b', 'c'])
    turn.run()
    assert.deepEqual(went, ['a', 'b', 'c', 'a', 'c'])
    turn.run()
    assert.deepEqual(went, ['a', 'b', 'c', 'a', 'c', 'a'])
    assert.equal(turn.pending, false)
  })

  test('are served for 5 ms of a turn, at least one of them, by the clock and by what they say that they cost', () => {
    for (const costs of ['clock', 'said'] as const) {
      const { clock, turn, later } = world()
      const went: number[] = []
      for (let n = 0; n < 6; n++)
        later.add({
          proceed: () => {
            went.push(n)
            if (costs === 'clock') clock.block(3)
            else later.spent(3, 0)
          },
        })
      const perTurn: number[] = []
      while (went.length < 6) {
        const before = went.length
        turn.run()
        perTurn.push(went.length - before)
      }
      assert.deepEqual(perTurn, [2, 2, 2], costs)
    }
  })

  test('one that costs a second goes alone, and never not at all', () => {
    const { clock, turn, later } = world()
    let went = 0
    for (let n = 0; n < 3; n++)
      later.add({
        proceed: () => {
          went++
          clock.block(1000)
        },
      })
    for (const expected of [1, 2, 3]) {
      turn.run()
      assert.equal(went, expected)
    }
  })

  test('by the thousand cost no more memory than wait, and keep their order', () => {
    const { clock, turn, later } = world()
    const went: number[] = []
    for (let n = 0; n < 5000; n++)
      later.add({
        proceed: () => {
          went.push(n)
          if (n % 100 === 99) clock.block(6)
        },
      })
    while (turn.pending) {
      turn.run()
      const { waiting, next } = later as unknown as { waiting: Waiting[]; next: number }
      assert.ok(next <= 1024, `${next} of ${waiting.length} are over and still there`)
    }
    assert.deepEqual(
      went,
      Array.from({ length: 5000 }, (_, n) => n),
    )
  })

  test('go on no more when the server has left', () => {
    const { turn, later } = world()
    let went = 0
    later.add({ proceed: () => went++ })
    later.leave()
    turn.run()
    assert.equal(went, 0)
  })
})

describe('the work of a turn', () => {
  test('is 5 ms in all, at least 1 ms for each further one, and begins again with the next', () => {
    const { turn, later } = world()
    assert.equal(later.sliceMs, turnWorkMs)
    assert.equal(later.spent(3, 0), 3)
    assert.equal(later.sliceMs, 2)
    assert.equal(later.isSpent, false)
    later.spent(1.5, 0)
    assert.equal(later.sliceMs, 1)
    later.spent(0.5, 0)
    assert.equal(later.isSpent, true)
    assert.equal(later.sliceMs, 1)
    turn.run()
    assert.deepEqual([later.isSpent, later.sliceMs], [false, turnWorkMs])
  })

  test('counts bytes as time', () => {
    const { later } = world()
    assert.equal(later.spent(0, bytesPerMs * 5), 5)
    assert.equal(later.isSpent, true)
  })

  test('is counted by turns in which something was done', () => {
    const { turn, later } = world()
    const first = later.turn
    turn.run()
    assert.equal(later.turn, first)
    later.spent(0.1, 0)
    turn.run()
    assert.ok(later.turn > first)
  })
})

describe('the share of one connection', () => {
  test('has no end where nobody shares', () => {
    const share = new TurnShare(new SimClock(), undefined)
    share.begin(0)
    for (let frames = 0; frames < 10_000; frames++) assert.equal(share.allows(frames * 1_000_000, 10_000), true)
    assert.equal(share.end(1e9, 1e9), false)
    assert.equal(share.mustWait(true), false)
  })

  test('ends when the time of its slice is over, looked at every sixteen light frames and behind each heavy one', () => {
    const { clock, later } = world()
    const share = new TurnShare(clock, later)
    share.begin(0)
    clock.block(turnWorkMs + 1)
    let frames = 0
    while (share.allows(0, 0)) frames++
    assert.equal(frames, 15)
    share.begin(0)
    clock.block(turnWorkMs + 1)
    share.heavy = true
    assert.equal(share.allows(0, 0), false)
  })

  test('ends with 256 slices of others’ memory, and with what its slice is worth in bytes of answers', () => {
    const { clock, later } = world()
    const share = new TurnShare(clock, later)
    share.begin(1000)
    assert.equal(share.allows(1000, 256), true)
    assert.equal(share.allows(1000, 257), false)
    assert.equal(share.allows(1000 + turnWorkMs * bytesPerMs - 1, 0), true)
    assert.equal(share.allows(1000 + turnWorkMs * bytesPerMs, 0), false)
  })

  test('is smaller when others have worked in this turn', () => {
    const { clock, later } = world()
    later.spent(4.5, 0)
    const share = new TurnShare(clock, later)
    share.begin(0)
    assert.equal(share.allows(bytesPerMs - 1, 0), true)
    assert.equal(share.allows(bytesPerMs, 0), false)
  })

  test('is over for who was costly in the last second, while the turn is spent; who was not goes on', () => {
    const { clock, turn, later } = world()
    const [costly, cheap] = [new TurnShare(clock, later), new TurnShare(clock, later)]
    costly.begin(0)
    clock.block(2)
    costly.heavy = true
    costly.allows(0, 0)
    costly.end(0, 0)
    cheap.begin(0)
    cheap.end(100, 0)
    assert.deepEqual([costly.mustWait(false), cheap.mustWait(false)], [false, false])
    later.spent(5, 0)
    assert.deepEqual([costly.mustWait(false), cheap.mustWait(false), cheap.mustWait(true)], [true, false, true])
    turn.run()
    assert.equal(costly.mustWait(true), false)
    later.spent(5, 0)
    clock.block(1000)
    assert.equal(costly.mustWait(false), false)
  })

  test('asks no clock for a few light frames, and counts their bytes all the same', () => {
    const { clock, later } = world()
    const share = new TurnShare(clock, later)
    share.begin(0)
    clock.block(3)
    share.allows(0, 0)
    share.end(bytesPerMs, 0)
    assert.equal(later.sliceMs, turnWorkMs - 1)
  })

  test('of bytes is enough at what a slice is worth, at 64 KiB where the turn is spent, and begins anew with the turn', () => {
    const { clock, turn, later } = world()
    const share = new TurnShare(clock, later)
    const take = (bytes: number) => {
      share.begin(0)
      return share.end(bytes, 0)
    }
    assert.equal(take(300 * 1024), false)
    assert.equal(take(300 * 1024), false)
    assert.equal(take(600 * 1024), true)
    turn.run()
    assert.equal(take(10 * 1024), false)
    later.spent(5, 0)
    assert.equal(take(30 * 1024), false)
    assert.equal(take(30 * 1024), true)
  })
})

describe('the queue of those with something to send', () => {
  test('flushes each once at the end of the turn, and those that come meanwhile in the next', () => {
    const turn = new SimTurn()
    const sends = new SendQueue(turn)
    const flushed: string[] = []
    const second = { flush: () => flushed.push('second') }
    sends.add({
      flush: () => {
        flushed.push('first')
        sends.add(second)
      },
    })
    turn.run()
    assert.deepEqual(flushed, ['first'])
    turn.run()
    assert.deepEqual(flushed, ['first', 'second'])
    assert.equal(turn.pending, false)
    sends.leave()
    sends.add(second)
    turn.run()
    assert.deepEqual(flushed, ['first', 'second'])
  })
})

test('waits are cleared all of them', () => {
  const waits = new Waits()
  for (const kind of waitKinds) waits[kind] = 7
  waits.clear()
  assert.deepEqual(
    waitKinds.map(kind => waits[kind]),
    waitKinds.map(() => 0),
  )
})
