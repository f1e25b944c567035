import assert from 'node:assert/strict'
import { test } from 'node:test'
import fc from 'fast-check'
import { LinkedNet, NodeNet, type Socket } from '../../src/index.ts'

const turn = () => new Promise(resolve => setImmediate(resolve))

interface End {
  readonly socket: Socket
  got: number
  closed: number
  isPaused: boolean
  wrongDrains: number
}

/** Takes numbers in order, and says so if one is missing. */
function end(socket: Socket): End {
  const own: End = { socket, got: 0, closed: 0, isPaused: false, wrongDrains: 0 }
  socket.start({
    data: chunk => {
      assert.ok(!own.isPaused, 'nothing comes to whoever has paused')
      assert.equal(own.closed, 0, 'nothing comes behind the end')
      for (const byte of chunk) assert.equal(byte, own.got++ % 251)
    },
    drained: () => {
      if (socket.unsentBytes > 0) own.wrongDrains++
    },
    closed: () => {
      own.closed++
    },
  })
  return own
}

const step = fc.constantFrom('write', 'write', 'write', 'turn', 'turn', 'pause', 'resume')

test('whatever both ends do: bytes come in order and once, none to who has paused, and each end is told once', async () => {
  const net = new LinkedNet(new NodeNet())
  const accepted: End[] = []
  const listener = await net.listen({ host: '127.0.0.1', port: 0 }, socket => void accepted.push(end(socket)))
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.tuple(fc.boolean(), step, fc.integer({ min: 1, max: 5000 })), { maxLength: 40 }),
      fc.boolean(),
      async (steps, isDestroyed) => {
        const near = end(await net.connect(listener.address))
        const far = accepted.pop() as End
        const written = new Map<End, number>([
          [near, 0],
          [far, 0],
        ])
        for (const [isNear, what, bytes] of steps) {
          const own = isNear ? near : far
          const from = written.get(own)!
          if (what === 'write') {
            own.socket.write([Buffer.from(Array.from({ length: bytes }, (_, i) => (from + i) % 251))])
            written.set(own, from + bytes)
          } else if (what === 'turn') await turn()
          else {
            own.isPaused = what === 'pause'
            if (own.isPaused) own.socket.pause()
            else own.socket.resume()
          }
        }
        for (const own of [near, far]) {
          own.isPaused = false
          own.socket.resume()
        }
        if (isDestroyed) near.socket.destroy()
        else near.socket.end()
        for (let i = 0; i < 4; i++) await turn()
        if (!isDestroyed) assert.equal(far.got, written.get(near))
        assert.deepEqual([near.closed, far.closed, near.wrongDrains + far.wrongDrains], [1, 1, 0])
        assert.equal(near.socket.unsentBytes + far.socket.unsentBytes, 0)
      },
    ),
    { numRuns: 100 },
  )
  await listener.close()
})
