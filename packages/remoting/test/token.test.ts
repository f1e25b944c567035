import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { ResponseCode } from '@skua-mq/protocol'
import { hotRoute, type ReplyToken, type RequestObserver } from '../src/index.ts'
import type { SlowExchange } from '../src/watch.ts'
import { type EchoView, echo, hotEcho, serve } from './hot-echo.ts'

/** Keeps the tokens of all requests; nobody is answered. */
function keeping() {
  const tokens: ReplyToken[] = []
  const hot = [hotRoute(hotEcho, (_view: EchoView, token: ReplyToken) => tokens.push(token))]
  return { tokens, hot }
}

describe('a reply token', () => {
  test('answers once: whoever uses it again is told', async () => {
    const { tokens, hot } = keeping()
    const { runtime, peer, opaques } = await serve({ hot })
    peer.socket.write([echo(1)])
    await runtime.clock.advanceAsync(5)
    const [token] = tokens
    assert.deepEqual([token!.waiting, token!.open], [true, true])
    token!.answer(ResponseCode.success)
    assert.deepEqual([token!.waiting, token!.open], [false, false])
    assert.throws(() => token!.answer(ResponseCode.success), /used after its answer/)
    assert.throws(() => token!.drop(), /used after its answer/)
    await runtime.clock.advanceAsync(5)
    assert.deepEqual(opaques(), [1])
  })

  test('is used again for another request, whose answer goes to that one', async () => {
    const { tokens, hot } = keeping()
    const { runtime, peer, another } = await serve({ hot })
    const other = await another()
    peer.socket.write([echo(1)])
    await runtime.clock.advanceAsync(5)
    tokens[0]!.answer(ResponseCode.success)
    other.socket.write([echo(9, 'x', { form: 1 })])
    await runtime.clock.advanceAsync(5)
    assert.equal(tokens[1], tokens[0])
    tokens[1]!.answer(ResponseCode.systemBusy, undefined, { remark: 'later' })
    await runtime.clock.advanceAsync(5)
    assert.deepEqual(
      other.replies.map(({ opaque, code, remark, form }) => [opaque, code, remark, form]),
      [[9, ResponseCode.systemBusy, 'later', 1]],
    )
    assert.equal(peer.replies.length, 1)
  })

  test('that is dropped answers nothing, and costs its connection nothing any more', async () => {
    const { tokens, hot } = keeping()
    const { runtime, peer } = await serve({ hot, limits: { maxRunningRequests: 2 } })
    peer.socket.write([echo(1), echo(2), echo(3), echo(4)])
    await runtime.clock.advanceAsync(5)
    assert.equal(tokens.length, 2)
    for (const token of tokens.splice(0)) token.drop()
    await runtime.clock.advanceAsync(5)
    assert.equal(tokens.length, 2)
    assert.equal(peer.replies.length, 0)
  })

  test('of a one-way request sends nothing, and lets its slices go', async () => {
    const { tokens, hot } = keeping()
    const { runtime, peer } = await serve({ hot })
    peer.socket.write([echo(1, 'x', { flag: 2 }), echo(2, 'x', { flag: 2, remark: 'decoded' })])
    await runtime.clock.advanceAsync(5)
    let released = 0
    for (const token of tokens)
      token.answer(ResponseCode.success, undefined, { body: [Buffer.alloc(5000)], release: () => released++ })
    await runtime.clock.advanceAsync(5)
    assert.deepEqual([released, peer.replies.length], [2, 0])
  })

  test('of a connection that is gone swallows the answer, and lets its slices go', async () => {
    const { tokens, hot } = keeping()
    const { runtime, peer } = await serve({ hot })
    peer.socket.write([echo(1)])
    await runtime.clock.advanceAsync(5)
    peer.socket.destroy()
    await runtime.clock.advanceAsync(5)
    const [token] = tokens
    assert.deepEqual([token!.waiting, token!.open], [true, false])
    let released = 0
    token!.answer(ResponseCode.success, undefined, { body: [Buffer.alloc(5000)], release: () => released++ })
    assert.equal(released, 1)
  })

  test('keeps what its request was, whatever is read behind it', async () => {
    const { tokens, hot } = keeping()
    const { runtime, peer } = await serve({ hot })
    peer.socket.write([echo(1, 'a', { version: 401, form: 1 }), echo(2, 'b', { version: 479, flag: 2 })])
    await runtime.clock.advanceAsync(5)
    assert.deepEqual(
      tokens.map(({ opaque, version, form, oneway }) => [opaque, version, form, oneway]),
      [
        [1, 401, 1, false],
        [2, 479, 0, true],
      ],
    )
  })

  test('of a body in several slices says their bytes, small ones copied, and none is released before it is sent', async () => {
    const { tokens, hot } = keeping()
    const { runtime, peer } = await serve({ hot })
    peer.socket.write([echo(1)])
    await runtime.clock.advanceAsync(5)
    const slices = [Buffer.alloc(10, 'a'), Buffer.alloc(3000, 'b'), Buffer.alloc(1023, 'c'), Buffer.alloc(1024, 'd')]
    let released = 0
    tokens[0]!.answer(ResponseCode.success, undefined, { body: slices, release: () => released++ })
    assert.equal(released, 0)
    // Small slices are the caller's again at once.
    slices[0]!.fill('x')
    slices[2]!.fill('x')
    await runtime.clock.advanceAsync(5)
    assert.equal(released, 1)
    const expected = `${'a'.repeat(10)}${'b'.repeat(3000)}${'c'.repeat(1023)}${'d'.repeat(1024)}`
    assert.equal(Buffer.from(peer.replies[0]!.body!).toString(), expected)
  })
})

describe('a request that is held', () => {
  test('counts for nobody while it rests, and again when it is looked at', async () => {
    const { tokens, hot } = keeping()
    const { runtime, peer } = await serve({ hot, limits: { maxRunningRequests: 2 } })
    peer.socket.write(Array.from({ length: 6 }, (_, n) => echo(n)))
    await runtime.clock.advanceAsync(5)
    assert.equal(tokens.length, 2)
    // Twice is as good as once.
    for (const token of tokens.slice(0, 2)) {
      token.rest()
      token.rest()
    }
    await runtime.clock.advanceAsync(5)
    assert.equal(tokens.length, 4)
    const [first] = tokens as [ReplyToken]
    const { account } = first.connection
    assert.equal(account.running, 2)
    first.rise()
    first.rise()
    assert.equal(account.running, 3)
    first.answer(ResponseCode.success)
    tokens[1]!.answer(ResponseCode.success)
    assert.equal(account.running, 2)
    for (const token of tokens.slice(2)) token.answer(ResponseCode.success)
    await runtime.clock.advanceAsync(5)
    assert.equal(account.running, tokens.length - 4)
  })

  test('is told as held, and its time is not taken for slowness', async () => {
    const { tokens, hot } = keeping()
    const slow: SlowExchange[] = []
    const { runtime, peer } = await serve({
      hot,
      slow: { slowMs: 100, slow: exchange => slow.push({ ...exchange, waits: { ...exchange.waits, clear() {} } }) },
    })
    peer.socket.write([echo(1), echo(2), echo(3)])
    await runtime.clock.advanceAsync(5)
    const [held, heldThenSlow, slowOnly] = tokens as [ReplyToken, ReplyToken, ReplyToken]
    held.rest()
    heldThenSlow.rest()
    await runtime.clock.advanceAsync(1000)
    held.answer(ResponseCode.pullNotFound)
    heldThenSlow.rise()
    const since = heldThenSlow.mark()
    await runtime.clock.advanceAsync(150)
    heldThenSlow.waited('read', since)
    heldThenSlow.answer(ResponseCode.success)
    // Somebody else has had a word since: the loop was not blocked for all of the time.
    peer.socket.write([echo(4)])
    await runtime.clock.advanceAsync(1)
    slowOnly.answer(ResponseCode.success)
    assert.deepEqual(
      slow.map(({ tookMs, waits }) => [
        Math.round(tookMs / 50) * 50,
        Math.round(waits.read),
        Math.round(waits.held / 50) * 50,
      ]),
      [
        [150, 150, 1000],
        [1150, 0, 0],
      ],
    )
  })

  test('asks no clock where nobody watches', async () => {
    const { tokens, hot } = keeping()
    const { runtime, peer } = await serve({ hot })
    peer.socket.write([echo(1)])
    await runtime.clock.advanceAsync(5)
    const [token] = tokens as [ReplyToken]
    assert.deepEqual([token.beganMs, token.cameMs, token.mark()], [0, 0, 0])
    token.waited('read', 1)
    assert.equal(token.waits.read, 0)
    token.answer(ResponseCode.success)
  })

  test('says nothing of the request before: that one was held, this one is not', async () => {
    const { tokens, hot } = keeping()
    const { runtime, peer } = await serve({ hot })
    peer.socket.write([echo(1)])
    await runtime.clock.advanceAsync(5)
    tokens[0]!.rest()
    assert.equal(tokens[0]!.wasHeld, true)
    tokens[0]!.drop()
    peer.socket.write([echo(2)])
    await runtime.clock.advanceAsync(5)
    assert.equal(tokens[1], tokens[0])
    assert.equal(tokens[1]!.wasHeld, false)
    tokens[1]!.answer(ResponseCode.success)
  })

  test('is kept for later while there are no more than 4096 idle ones', async () => {
    const { tokens, hot } = keeping()
    const { runtime, peer } = await serve({ hot, limits: { maxRunningRequests: 10_000, maxPendingRequests: 100_000 } })
    const ask = async () => {
      peer.socket.write(Array.from({ length: 5000 }, (_, n) => echo(n)))
      for (let n = 0; n < 200 && tokens.length < 5000; n++) await runtime.clock.advanceAsync(5)
      return tokens.splice(0)
    }
    const first = new Set(await ask())
    assert.equal(first.size, 5000)
    for (const token of first) token.drop()
    const second = await ask()
    assert.equal(second.filter(token => first.has(token)).length, 4096)
    for (const token of second) token.drop()
  })

  test('forgets what an earlier request waited for', async () => {
    const { tokens, hot } = keeping()
    const observer: RequestObserver = { answered() {} }
    const { runtime, peer } = await serve({ hot, observer })
    peer.socket.write([echo(1)])
    await runtime.clock.advanceAsync(5)
    const [first] = tokens as [ReplyToken]
    const since = first.mark()
    await runtime.clock.advanceAsync(20)
    first.waited('flush', since)
    assert.ok(first.waits.flush >= 20)
    first.answer(ResponseCode.success)
    peer.socket.write([echo(2)])
    await runtime.clock.advanceAsync(5)
    assert.equal(tokens[1], first)
    assert.equal(first.waits.flush, 0)
    assert.equal(first.wasHeld, false)
  })
})
