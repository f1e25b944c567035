import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { TimerMachine } from './timer-machine.ts'

const madeAgain = (machine: TimerMachine) =>
  machine.events.filter(({ name }) => name === 'timer files are made again from the timer topic').length

const noise = (length: number) => Buffer.from(Array.from({ length }, (_, n) => (n * 7919 + (n >> 3) * 31 + 13) % 127))

/** Where the slot of a time lies in the wheel. */
const slotAt = (ms: number) => ((ms / 1000) % (14 * 86_400)) * 32

interface Filled {
  readonly machine: TimerMachine
  readonly waiting: string[]
  /** The times of those. */
  readonly times: number[]
}

/** One timer is delivered, and others wait in several pages of the wheel and files of the log. */
async function filled(end: 'stop' | 'kill'): Promise<Filled> {
  const machine = new TimerMachine()
  const process = await machine.run({ fileBytes: 52 * 6 + 20 })
  const now = Math.ceil(machine.clock.now() / 1000) * 1000
  const times = Array.from({ length: 20 }, (_, n) => now + 60_000 + n * 61_000)
  const waiting = times.map((_, n) => `waits ${n}`)
  await machine.put(process.store, [
    machine.timed('done', now + 3000),
    ...times.map((at, n) => machine.timed(`waits ${n}`, at)),
  ])
  await machine.clock.advanceAsync(20_000)
  if (end === 'stop') await machine.end(process)
  else machine.kill()
  return { machine, waiting, times }
}

const change = ({ machine }: Filled, path: string, bytes: Buffer, at: number) => {
  const file = machine.disk.open(path, 'write')
  file.writeSync(bytes, 0, bytes.length, at)
  file.closeSync()
}

const page = 4096
const pageOf = (ms: number) => slotAt(ms) - (slotAt(ms) % page)
const wheel = '/store/timerwheel'
const check = '/store/config/timercheck'
const size = (on: Filled, path: string) => on.machine.disk.stat(path)!.size
const logFile = (n: number) => `/store/timerlog/${String(n * (52 * 6 + 20)).padStart(20, '0')}`

const damages: Record<string, (on: Filled) => void> = {
  'a timercheck of zeros': on => change(on, check, Buffer.alloc(page), 0),
  'a timercheck of noise': on => change(on, check, noise(page), 0),
  'a timercheck that was cut': on => on.machine.disk.writeFile(check, on.machine.disk.readFile(check).subarray(0, 20)),
  'a timercheck that is gone': on => on.machine.disk.remove(check),
  'a wheel of which one page is zeros': on => change(on, wheel, Buffer.alloc(page), pageOf(on.times[5]!)),
  'a wheel of which one page is noise': on => change(on, wheel, noise(page), pageOf(on.times[5]!)),
  'a wheel of which one page lies at the place of another': on => {
    const bytes = on.machine.disk.readFile(wheel)
    change(on, wheel, bytes.subarray(pageOf(on.times[9]!)).subarray(0, page), pageOf(on.times[3]!))
  },
  'a wheel of noise': on => change(on, wheel, noise(size(on, wheel)), 0),
  'a wheel that was cut': on => on.machine.disk.writeFile(wheel, on.machine.disk.readFile(wheel).subarray(0, page * 9)),
  'a timer log without its first file': on => on.machine.disk.remove(logFile(0)),
  'a timer log without a file in the middle': on => on.machine.disk.remove(logFile(1)),
  'a timer log without its last file': on => on.machine.disk.remove(logFile(3)),
  'a timer log whose last file was cut': on =>
    on.machine.disk.writeFile(logFile(3), on.machine.disk.readFile(logFile(3)).subarray(0, 60)),
  'a timer log whose first file is zeros': on => change(on, logFile(0), Buffer.alloc(size(on, logFile(0))), 0),
  'a timer log whose last file is zeros': on => change(on, logFile(3), Buffer.alloc(size(on, logFile(3))), 0),
  'a timer log of which a unit is noise': on => change(on, logFile(1), noise(52), 52 * 2),
  'a timer log of which the end of a unit is noise': on => change(on, logFile(1), Buffer.alloc(24, 0xf3), 52 * 2 + 28),
  'a timer log of which a unit leads elsewhere in the log': on => change(on, logFile(1), Buffer.of(90), 52 * 2 + 35),
  'a timer log of which a unit leads behind the log': on => change(on, logFile(1), Buffer.of(7), 52 * 2 + 32),
  'a timer log of which a unit is of another size': on => change(on, logFile(1), Buffer.of(7), 52 * 2 + 38),
  'a timer log of which a unit has others before it that lie behind': on =>
    change(on, logFile(1), Buffer.from([0, 0, 0, 0, 0, 1, 0, 0]), 52 * 2 + 4),
}

for (const end of ['stop', 'kill'] as const)
  describe(`after a ${end}`, () => {
    for (const [name, damage] of Object.entries(damages))
      test(`${name} costs no timer, and is said`, async () => {
        const on = await filled(end)
        damage(on)
        const { machine, waiting } = on
        machine.events.length = 0
        const { store } = await machine.run()
        await machine.clock.advanceAsync(22 * 61_000)
        const came = machine.bodies(store).filter(body => body !== 'done')
        assert.deepEqual([...new Set(came)].sort(), [...waiting].sort())
        assert.equal(came.length, waiting.length, 'one came twice')
        const told = machine.events.some(
          ({ name }) => name === 'timer files are made again from the timer topic' || name === 'timer files repaired',
        )
        assert.ok(told, `${madeAgain(machine)}`)
      })
  })

test('files of the timer log that were removed since their timers are over are not missed, whenever it is killed', async () => {
  const machine = new TimerMachine()
  const fileBytes = 52 * 6 + 20
  const { store } = await machine.run({ fileBytes, flushMs: 7000 })
  const now = machine.clock.now()
  await machine.put(
    store,
    Array.from({ length: 30 }, (_, n) => machine.timed(`${n}`, now + (n < 28 ? 2000 : 90_000))),
  )
  const files = () => machine.disk.list('/store/timerlog')
  const before = files().length
  // No check point is due in that moment.
  while (files().length === before || files().length === 0) await machine.clock.advanceAsync(1)
  assert.ok(!files().includes('00000000000000000000'))
  machine.kill()
  machine.events.length = 0
  const again = await machine.run()
  assert.equal(madeAgain(machine), 0)
  await machine.clock.advanceAsync(100_000)
  assert.equal(machine.bodies(again.store).length, 30)
})

test('a file of the timer log that is over stays while nobody can write down that it goes', async () => {
  const machine = new TimerMachine()
  const { store } = await machine.run({ fileBytes: 52 * 6 + 20 })
  const now = machine.clock.now()
  await machine.put(
    store,
    Array.from({ length: 14 }, (_, n) => machine.timed(`${n}`, now + (n < 12 ? 2000 : 900_000))),
  )
  await machine.clock.advanceAsync(10_000)
  const lift = machine.disk.faults.fail({ on: 'sync', code: 'EIO', path: 'timercheck' })
  const before = machine.disk.list('/store/timerlog')
  await machine.clock.advanceAsync(90_000)
  assert.deepEqual(machine.disk.list('/store/timerlog'), before)
  lift()
  await machine.clock.advanceAsync(60_000)
  assert.ok(machine.disk.list('/store/timerlog').length < before.length)
})

for (const [what, at, bytes] of [
  ['leads to others behind it', 4, [0, 0, 0, 0, 0, 1, 0, 0]],
  ['says of its messages what nobody writes', 40, [9, 9, 9, 9, 0xf0, 1, 2, 3, 4, 5, 6, 7]],
] as const)
  test(`a unit that ${what} hides none of its slot, nor is it passed`, async () => {
    const machine = new TimerMachine()
    const first = await machine.run()
    const times = Math.ceil(machine.clock.now() / 1000) * 1000 + 60_000
    const bodies = ['a', 'b', 'c', 'd']
    await machine.put(
      first.store,
      bodies.map((body, n) => machine.timed(body, times + n)),
    )
    await machine.clock.advanceAsync(3000)
    await machine.end(first)
    const file = machine.disk.open(logFile(0), 'write')
    file.writeSync(Buffer.from(bytes), 0, bytes.length, 52 * 2 + at)
    file.closeSync()
    const { store } = await machine.run()
    await machine.clock.advanceAsync(70_000)
    assert.deepEqual(machine.bodies(store), bodies)
    assert.equal(madeAgain(machine), 1)
  })

test('a recall of which the unit is damaged recalls', async () => {
  const machine = new TimerMachine()
  const first = await machine.run()
  const at = Math.ceil(machine.clock.now() / 1000) * 1000 + 60_500
  await machine.put(first.store, [machine.timed('a', at), machine.timed('b', at), machine.recall('a', at)])
  await machine.clock.advanceAsync(3000)
  await machine.end(first)
  const file = machine.disk.open(logFile(0), 'write')
  file.writeSync(Buffer.of(90), 0, 1, 52 * 2 + 35)
  file.closeSync()
  const { store } = await machine.run()
  await machine.clock.advanceAsync(70_000)
  assert.deepEqual(machine.bodies(store), ['b'])
})
