import assert from 'node:assert/strict'
import test from 'node:test'
import { SimClock, type Socket, type SocketHandlers } from '@skua-mq/runtime'
import { encodeReport } from '../../src/ha/ha-frame.ts'
import { SlaveConnection } from '../../src/ha/slave-connection.ts'

/** A peer that takes all at once; one that is told the same over and over closes, so that a test ends. */
class TakingSocket implements Socket {
  readonly remote = { host: '10.0.0.2', port: 40_000 }
  readonly local = { host: '10.0.0.1', port: 10_912 }
  readonly unsentBytes = 0
  handlers!: SocketHandlers
  writes = 0
  ended = 0

  start(handlers: SocketHandlers): void {
    this.handlers = handlers
  }

  write(): void {
    if (++this.writes > 100) this.handlers.closed()
  }

  pause(): void {}
  resume(): void {}

  end(): void {
    this.ended++
  }

  /** As Node's, it says so later. */
  destroy(): void {
    queueMicrotask(() => this.handlers.closed())
  }
}

const settings = { fileBytes: 1000, frameBytes: () => 100, heartbeatMs: 5000, silenceMs: 20_000, answerMs: () => 1000 }

function connection(store: { minPhysicalOffset: number; maxPhysicalOffset: number }) {
  const clock = new SimClock()
  const socket = new TakingSocket()
  const closed: string[] = []
  const readLog = async (offset: number, most: number) =>
    Buffer.alloc(offset < store.minPhysicalOffset ? 0 : Math.min(most, store.maxPhysicalOffset - offset))
  const slave = new SlaveConnection(socket, {
    ...{ clock, settings },
    store: Object.assign(store, { readLog }),
    joined: () => undefined,
    ...{ confirmed: () => {}, faltered: () => {}, recovered: () => {} },
    closed: reason => closed.push(reason),
  })
  return { clock, socket, slave, closed }
}

test('a slave whose next bytes are deleted while it is connected is told so once, and holds up nobody', async () => {
  const store = { minPhysicalOffset: 0, maxPhysicalOffset: 1000 }
  const { clock, socket, slave, closed } = connection(store)
  // Its log ends where this one does; then this one grows and loses what lies behind.
  socket.handlers.data(encodeReport(1000))
  await clock.advanceAsync(0)
  Object.assign(store, { minPhysicalOffset: 2000, maxPhysicalOffset: 3000 })
  slave.wake()
  await clock.advanceAsync(0)
  assert.deepEqual([socket.writes, socket.ended], [1, 1])
  // A peer that does not end by itself is cut off.
  await clock.advanceAsync(settings.silenceMs + 2000)
  assert.equal(closed.length, 1)
})

test('one that is closed is counted no longer at once, and only once', async () => {
  const { clock, slave, closed } = connection({ minPhysicalOffset: 0, maxPhysicalOffset: 1000 })
  slave.close('others came after it')
  assert.deepEqual(closed, ['others came after it'])
  slave.close('again')
  await clock.advanceAsync(1000)
  assert.equal(closed.length, 1)
})
