import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock, SimTurn, type Socket, type SocketHandlers } from '@skua-mq/runtime'
import { Accounts } from '../src/account.ts'
import { Channel } from '../src/channel.ts'
import { serverIdentity } from '../src/identity.ts'
import { Later } from '../src/later.ts'
import { defaultLimits } from '../src/limits.ts'
import { SendQueue } from '../src/send-queue.ts'
import { ask } from './raw-peer.ts'

/** A channel whose requests run until the test ends them, 1,000 at a time. */
function paused() {
  const clock = new SimClock()
  const turn = new SimTurn()
  let handlers: SocketHandlers | undefined
  const address = { host: 'h', port: 1 }
  const socket: Socket = {
    ...{ remote: address, local: address, unsentBytes: 0 },
    start: given => {
      handlers = given
    },
    ...{ write: () => {}, pause: () => {}, resume: () => {}, end: () => {}, destroy: () => {} },
  }
  const nothing = () => {}
  const channel = new Channel({
    ...{ socket, clock, sends: new SendQueue(turn), later: new Later(clock, turn), accounts: new Accounts() },
    ...serverIdentity(),
    limits: { ...defaultLimits, maxRunningRequests: 1000 },
    owner: {
      frame: one => one.account.begin(),
      ...{ broken: nothing, carrying: nothing, owing: nothing, unwritable: nothing, closed: nothing },
    },
  })
  channel.start()
  const endAll = () => {
    while (channel.account.running > 0) channel.account.end()
    channel.relax()
    turn.runAll()
  }
  const memory = () => (Reflect.get(channel, 'rest') as Buffer | undefined)?.buffer.byteLength ?? 0
  return { channel, endAll, memory, received: (bytes: Buffer) => handlers?.data(bytes) }
}

test('what is left of a chunk keeps little more than its own bytes in memory', () => {
  const { channel, endAll, memory, received } = paused()
  const frame = ask(1)
  received(Buffer.concat(Array.from({ length: 5100 }, () => frame)))
  for (let left = 4100; left > 0; left -= 1000) {
    assert.equal(channel.account.unread, left * frame.length)
    assert.ok(memory() <= Math.max(8192, 2 * channel.account.unread), `${memory()} for ${channel.account.unread}`)
    endAll()
  }
  assert.equal(channel.account.unread, 0)
})
