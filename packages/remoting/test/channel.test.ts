import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { type Command, encodeFrame, queryConsumerOffset } from '@skua-mq/protocol'
import {
  type Address,
  NetError,
  SimClock,
  SimTurn,
  type Socket,
  type SocketHandlers,
  tlsErrorCode,
} from '@skua-mq/runtime'
import { Accounts } from '../src/account.ts'
import { Channel, type ChannelOwner } from '../src/channel.ts'
import { defaultLimits, type RemotingLimits } from '../src/limits.ts'
import { SendQueue } from '../src/send-queue.ts'
import { ask } from './raw-peer.ts'

/** A socket of a kernel that takes as many bytes as it is told to. */
class Wire implements Socket {
  readonly remote: Address = { host: '10.0.0.2', port: 40_000 }
  readonly local: Address = { host: '10.0.0.1', port: 10_911 }
  unsentBytes = 0
  /** What the kernel takes before it is full. */
  room = Number.POSITIVE_INFINITY
  writes = 0
  state: 'open' | 'destroyed' | 'ended' = 'open'
  isPaused = false
  listener: SocketHandlers | undefined
  private readonly sent: Buffer[] = []

  start(listener: SocketHandlers): void {
    this.listener = listener
  }

  write(parts: readonly Uint8Array[]): void {
    this.writes++
    const bytes = Buffer.concat(parts)
    this.sent.push(bytes)
    const taken = Math.min(this.room, bytes.length)
    this.room -= taken
    this.unsentBytes += bytes.length - taken
  }

  pause(): void {
    this.isPaused = true
  }

  resume(): void {
    this.isPaused = false
  }

  end(): void {
    this.state = 'ended'
  }

  destroy(): void {
    this.state = 'destroyed'
  }

  /** The kernel takes all that it has. */
  drain(): void {
    this.unsentBytes = 0
    this.room = Number.POSITIVE_INFINITY
    this.listener!.drained()
  }

  get bytes(): Buffer {
    return Buffer.concat(this.sent)
  }
}

class Owner implements ChannelOwner {
  readonly frames: number[] = []
  readonly calls: string[] = []
  onFrame: ((channel: Channel, bytes: Buffer, start: number, end: number) => void) | undefined

  frame(channel: Channel, bytes: Buffer, start: number, end: number): void {
    this.frames.push(end - start)
    this.onFrame?.(channel, bytes, start, end)
  }
  broken(channel: Channel, error: Error): void {
    this.calls.push(`broken ${error.message}`)
    channel.close()
  }
  carrying(channel: Channel): void {
    this.calls.push(`carrying ${channel.account.unread}`)
  }
  owing(channel: Channel): void {
    this.calls.push(`owing ${channel.account.unsent}`)
  }
  unwritable(_channel: Channel, code: number): void {
    this.calls.push(`unwritable ${code}`)
  }
  closed(): void {
    this.calls.push('closed')
  }
}

function world(changes: Partial<RemotingLimits> = {}) {
  const clock = new SimClock()
  const turn = new SimTurn()
  const wire = new Wire()
  const owner = new Owner()
  const accounts = new Accounts()
  const channel = new Channel({
    socket: wire,
    owner,
    sends: new SendQueue(turn),
    clock,
    limits: { ...defaultLimits, ...changes },
    accounts,
    language: 0,
    version: 409,
  })
  channel.start()
  const receive = (...parts: Buffer[]) => wire.listener!.data(Buffer.concat(parts))
  return { clock, turn, wire, owner, accounts, channel, receive }
}

const reply = (opaque: number, body?: Uint8Array): Command => ({
  code: 0,
  language: 0,
  version: 409,
  opaque,
  flag: 1,
  extFields: {},
  body,
  form: 0,
})

describe('what is written in a turn', () => {
  test('goes out as one write, in the order of the answers, with the bodies as they are between them', () => {
    const { channel, turn, wire } = world()
    const [small, large] = [Buffer.alloc(100, 's'), Buffer.alloc(5000, 'l')]
    channel.send(reply(1, small))
    channel.send(reply(2, large))
    channel.send(reply(3))
    assert.equal(wire.writes, 0)
    turn.run()
    assert.equal(wire.writes, 1)
    assert.deepEqual(
      wire.bytes,
      Buffer.concat([encodeFrame(reply(1, small)), encodeFrame(reply(2, large)), encodeFrame(reply(3))]),
    )
    turn.run()
    assert.equal(wire.writes, 1)
  })

  test('is not in a buffer that the next turn writes into while the kernel still reads it', () => {
    const { channel, turn, wire } = world()
    wire.room = 0
    const kept: Uint8Array[][] = []
    const write = wire.write.bind(wire)
    wire.write = parts => {
      kept.push([...parts])
      write(parts)
    }
    channel.send(reply(1))
    turn.run()
    const expected = Buffer.concat(kept[0]!)
    for (let n = 2; n < 20; n++) {
      channel.send(reply(n))
      turn.run()
    }
    assert.deepEqual(Buffer.concat(kept[0]!), expected)
    wire.drain()
    assert.deepEqual(wire.bytes, Buffer.concat(Array.from({ length: 19 }, (_, n) => encodeFrame(reply(n + 1)))))
  })

  test('is on the account while the kernel has not taken it, and its slices are let go when it has', () => {
    const { channel, turn, wire, accounts, owner } = world()
    let released = 0
    wire.room = 1000
    channel.writer().raw(encodeFrame(reply(1)))
    channel.wrote([Buffer.alloc(50_000)], () => released++)
    turn.run()
    assert.ok(channel.account.unsent > 49_000)
    assert.deepEqual([accounts.unsent, accounts.owed], [channel.account.unsent, channel.account.unsent])
    assert.deepEqual([released, owner.calls], [0, [`owing ${channel.account.unsent}`]])
    wire.drain()
    assert.deepEqual([released, channel.account.unsent, accounts.owed], [1, 0, 0])
  })

  test('is let go when the connection ends first, sent or not', () => {
    const { channel, turn, wire, accounts } = world()
    let released = 0
    wire.room = 0
    for (let n = 0; n < 3; n++) {
      channel.writer().raw(encodeFrame(reply(n)))
      channel.wrote([Buffer.alloc(50_000)], () => released++)
      if (n < 2) turn.run()
    }
    wire.listener!.closed(undefined)
    assert.deepEqual([released, accounts.owed, accounts.unsent], [3, 0, 0])
    channel.wrote([Buffer.alloc(50_000)], () => released++)
    assert.equal(released, 4)
  })

  test('a small body is copied, and let go at once', () => {
    const { channel, turn, wire } = world()
    const body = Buffer.alloc(1000, 'a')
    let released = 0
    channel.wrote([body], () => released++)
    assert.equal(released, 1)
    body.fill('b')
    turn.run()
    assert.equal(wire.bytes.toString(), 'a'.repeat(1000))
  })
})

describe('what is read', () => {
  test('is handed on frame by frame, however it is cut; what is incomplete is on the account', () => {
    const { receive, owner, accounts } = world()
    const bytes = Buffer.concat([ask(1), ask(2), ask(3)])
    receive(bytes.subarray(0, bytes.length - 7))
    assert.deepEqual(owner.frames, [ask(1).length, ask(2).length])
    assert.ok(accounts.unread > 0)
    receive(bytes.subarray(bytes.length - 7))
    assert.equal(owner.frames.length, 3)
    assert.equal(accounts.unread, 0)
  })

  test('is no frame: its owner is told the reason, and nothing behind it is handed on', () => {
    const { receive, owner, channel, accounts } = world({ maxFrameBytes: 1000 })
    const tooLong = Buffer.alloc(8)
    tooLong.writeInt32BE(2000, 0)
    receive(ask(1), tooLong, ask(2))
    assert.equal(owner.frames.length, 1)
    assert.match(owner.calls[0]!, /^broken /)
    assert.deepEqual([channel.open, accounts.unread], [false, 0])
  })

  test('stops where the peer is owed as much as it may, and goes on when half of it is gone', () => {
    const { receive, owner, channel, turn, wire } = world({ pauseAtUnsentBytes: 10_000 })
    owner.onFrame = one => one.send(reply(1, Buffer.alloc(6000)))
    wire.room = 0
    receive(ask(1), ask(2), ask(3), ask(4))
    assert.equal(owner.frames.length, 2)
    assert.equal(wire.isPaused, true)
    turn.run()
    assert.equal(owner.frames.length, 2)
    wire.drain()
    turn.run()
    assert.equal(owner.frames.length, 4)
    // All is taken: the socket is read again.
    turn.run()
    assert.equal(wire.isPaused, false)
    assert.equal(channel.open, true)
  })

  test('that came before the socket knew that it was paused is kept in its order', () => {
    const { receive, owner, channel, wire } = world({ maxRunningRequests: 1 })
    const seen: number[] = []
    owner.onFrame = (one, bytes, start) => {
      seen.push(Number(/"opaque":(\d+)/.exec(bytes.toString('latin1', start, start + 120))?.[1]))
      one.account.begin()
    }
    receive(ask(1), ask(2))
    receive(ask(3))
    receive(ask(4).subarray(0, 10))
    receive(ask(4).subarray(10))
    assert.deepEqual(seen, [1])
    for (let n = 2; n <= 4; n++) {
      channel.account.end()
      channel.relax()
      assert.equal(seen.at(-1), n)
    }
    channel.account.end()
    channel.relax()
    assert.deepEqual([seen, wire.isPaused], [[1, 2, 3, 4], false])
  })

  test('by a handler that closes the connection ends there', () => {
    const { receive, owner, accounts } = world()
    owner.onFrame = one => one.close()
    receive(ask(1), ask(2), ask(3).subarray(0, 20))
    assert.equal(owner.frames.length, 1)
    assert.deepEqual([owner.calls.filter(call => call === 'closed').length, accounts.unread], [1, 0])
  })

  test('keeps the first byte of the connection, by which TLS is told from frames', () => {
    const { receive, channel } = world()
    assert.equal(channel.firstByte, -1)
    receive(Buffer.from([0, 0]))
    receive(Buffer.from([0x16]))
    assert.equal(channel.firstByte, 0)
  })
})

describe('a connection', () => {
  test('is idle when nothing came and nothing went between sweeps for idleMs', () => {
    const { channel, clock, receive, turn } = world({ idleMs: 10_000 })
    const sweep = () => {
      clock.advance(4000)
      channel.closeIfIdle(clock.monotonic())
    }
    for (let n = 0; n < 5; n++) {
      receive(ask(n))
      sweep()
    }
    for (let n = 0; n < 5; n++) {
      channel.send(reply(n))
      turn.run()
      sweep()
    }
    sweep()
    sweep()
    assert.equal(channel.open, true)
    sweep()
    assert.equal(channel.open, false)
  })

  test('with a frame that does not end is closed after maxFrameMs, not while we do not read, nor while frames end', () => {
    const { channel, clock, receive, owner } = world({ maxFrameMs: 10_000, maxRunningRequests: 1 })
    const sweep = () => {
      clock.advance(5000)
      return channel.closeIfIncomplete(clock.monotonic())
    }
    receive(ask(1).subarray(0, 30))
    assert.equal(sweep(), false)
    assert.equal(sweep(), false)
    // It ends, and another begins.
    receive(Buffer.concat([ask(1).subarray(30), ask(2).subarray(0, 5)]))
    assert.deepEqual([sweep(), sweep()], [false, false])
    owner.onFrame = one => one.account.begin()
    receive(Buffer.concat([ask(2).subarray(5), ask(3).subarray(0, 5)]))
    assert.deepEqual([sweep(), sweep(), sweep(), sweep()], [false, false, false, false])
    channel.account.end()
    channel.relax()
    assert.deepEqual([sweep(), sweep()], [false, true])
    assert.equal(channel.open, false)
  })

  test('that is owed more than closeAtUnsentBytes is closed, before anybody is told that it is owed more', () => {
    const { channel, turn, wire, owner } = world({ closeAtUnsentBytes: 10_000 })
    wire.room = 0
    channel.send(reply(1, Buffer.alloc(9000)))
    turn.run()
    assert.equal(channel.open, true)
    channel.send(reply(2, Buffer.alloc(2000)))
    turn.run()
    assert.deepEqual([channel.open, wire.state], [false, 'destroyed'])
    assert.equal(owner.calls.filter(call => call.startsWith('owing')).length, 1)
  })

  test('that ends sends what is queued first, and says whether the kernel took it', () => {
    for (const room of [Number.POSITIVE_INFINITY, 100]) {
      const { channel, wire } = world()
      wire.room = room
      channel.send(reply(1, Buffer.alloc(5000)))
      assert.equal(channel.end(), room > 100)
      assert.deepEqual([wire.state, wire.bytes.length], ['ended', encodeFrame(reply(1, Buffer.alloc(5000))).length])
    }
  })

  test('is told to its listeners once, whoever ended it', () => {
    for (const end of ['peer', 'us', 'both'] as const) {
      const { channel, wire, owner } = world()
      let told = 0
      channel.onClose(() => told++)
      if (end !== 'us') wire.listener!.closed(undefined)
      if (end !== 'peer') channel.close()
      assert.deepEqual([told, owner.calls, channel.open], [1, ['closed'], false], end)
    }
  })

  test('fails its calls with what TLS says against it, else with ECLOSED and the cause', async () => {
    const refused = new NetError(tlsErrorCode, 'certificate required')
    for (const [error, code] of [
      [refused, tlsErrorCode],
      [new NetError('ECONNRESET', 'reset'), 'ECLOSED'],
      [undefined, 'ECLOSED'],
    ] as const) {
      const { channel, wire } = world()
      const call = channel.call({ code: queryConsumerOffset.code })
      wire.listener!.closed(error)
      await assert.rejects(call, { code, ...(code === 'ECLOSED' && error !== undefined ? { cause: error } : {}) })
    }
  })

  test('says what cannot be said to nobody: who asks is refused, what is told goes to the owner', async () => {
    const { channel, owner, turn, wire } = world()
    const extFields = { a: 'x'.repeat(300_000) }
    await assert.rejects(channel.call({ code: 40, extFields }), RangeError)
    channel.tell({ code: 40, extFields })
    assert.throws(() => channel.tellOrThrow({ code: 40, extFields }), RangeError)
    turn.run()
    assert.deepEqual([owner.calls, wire.bytes.length], [['unwritable 40'], 0])
  })

  test('with a signal that is over already asks nothing', async () => {
    const { channel, turn, wire } = world()
    await assert.rejects(channel.call({ code: 40 }, 1000, AbortSignal.abort(new Error('over'))), /over/)
    turn.run()
    assert.equal(wire.bytes.length, 0)
  })
})
