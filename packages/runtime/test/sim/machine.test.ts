import assert from 'node:assert/strict'
import { test } from 'node:test'
import { SimClock, SimMachine, SimNetwork, SimRandom } from '../../src/index.ts'

function world(seed = 5) {
  const clock = new SimClock()
  const random = new SimRandom(seed)
  return { clock, random, network: new SimNetwork({ clock, random: random.fork() }) }
}

/** A process that writes, has a timer and a turn armed, and serves a connection from another machine. */
async function busy() {
  const all = world()
  const machine = new SimMachine(all, 'server')
  const other = new SimMachine(all, 'client').boot()
  const runtime = machine.boot()
  const ran: string[] = []
  const file = runtime.disk.open('/a', 'create')
  file.writeSync(Buffer.from('written'), 0, 7, 0)
  await runtime.net.listen({ host: '', port: 1 }, socket =>
    socket.start({
      data: () => ran.push('data'),
      drained: () => ran.push('drained'),
      closed: () => ran.push('closed'),
    }),
  )
  const socket = await all.clock.until(other.net.connect({ host: 'server', port: 1 }))
  const closed: unknown[] = []
  socket.start({ data: () => {}, drained: () => {}, closed: error => closed.push((error as { code?: string })?.code) })
  runtime.clock.after(100, () => ran.push('timer'))
  runtime.turn.join('write', () => ran.push('turn')).arm()
  socket.write([Buffer.from('x')])
  return { ...all, machine, runtime, other, ran, file, closed, socket }
}

test('nothing of a killed process runs again, its disk keeps what was written, its peers are reset', async () => {
  const { clock, machine, runtime, ran, file, closed } = await busy()
  machine.kill()
  await clock.advanceAsync(10_000)
  assert.deepEqual(ran, [])
  assert.deepEqual(closed, ['ECONNRESET'])
  assert.throws(() => file.size(), { code: 'EDEAD' })
  assert.throws(() => runtime.disk.list('/'), { code: 'EDEAD' })
  await assert.rejects(
    runtime.net.listen({ host: '', port: 2 }, () => {}),
    { code: 'EDEAD' },
  )
  const next = machine.boot()
  assert.equal(next.disk.readFile('/a').toString(), 'written')
  await next.net.listen({ host: '', port: 1 }, () => {})
})

test('after a power cut the peers hear nothing and what was not synced may be gone', async () => {
  const { clock, machine, ran, closed } = await busy()
  machine.powerCut()
  await clock.advanceAsync(10_000)
  assert.deepEqual([ran, closed], [[], []])
  const found = new Set<boolean>()
  for (let seed = 0; seed < 20; seed++) {
    const other = new SimMachine(world(seed), 'a')
    other.boot().disk.writeFile('/a', Buffer.from('a'))
    other.powerCut()
    found.add(other.boot().disk.stat('/a') !== undefined)
  }
  assert.deepEqual([...found].sort(), [false, true])
})

test('a machine runs one process at a time', () => {
  const machine = new SimMachine(world(), 'a')
  machine.boot()
  assert.throws(() => machine.boot(), /is running/)
  machine.kill()
  machine.boot()
})
