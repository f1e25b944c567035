import assert from 'node:assert/strict'
import { describe, test } from 'node:test'
import { EventHub, SimClock } from '@skua-mq/runtime'
import { type GroupState, groupState, keys } from '../../src/election/group-state.ts'
import { InSync } from '../../src/election/in-sync.ts'
import { LeaseGuard } from '../../src/election/lease-guard.ts'
import type { RegistryWrite } from '../../src/election/registry.ts'
import { SlaveProgress, type SlaveState } from '../../src/ha/slave-progress.ts'

type Slave = { -readonly [key in keyof SlaveState]: SlaveState[key] }

/** The master A of an epoch, with the slaves that are connected to it, and what it writes. */
class Master {
  logEnd = 1000
  readonly progress = new SlaveProgress(
    () => this.logEnd,
    () => 100_000_000,
  )
  readonly writes: RegistryWrite[] = []
  /** What becomes of the next writes. */
  answer: () => Promise<boolean> = async () => true
  private readonly slaves = new Map<string, Slave>()
  private members: readonly string[]
  private readonly inSync: InSync

  constructor(members: readonly string[]) {
    this.members = members
    this.inSync = new InSync({
      ...{ member: 'A', role: { brokerRole: 'SYNC_MASTER', brokerId: 0 } },
      ...{ progress: this.progress, logEnd: () => this.logEnd, fallBehindMax: () => 100_000_000 },
      write: change => {
        this.writes.push(change)
        return this.answer()
      },
    })
  }

  get others(): number {
    return this.inSync.others
  }

  connect(member: string, confirmedTo = this.logEnd): Slave {
    const slave = {
      slave: `${member}:1`,
      position: confirmedTo,
      confirmedTo,
      keepsUp: true,
      sentTo: 0,
      bytesPerSecond: 0,
    }
    this.slaves.set(member, slave)
    this.progress.joined(slave)
    return slave
  }

  gone(member: string): void {
    this.progress.left(this.slaves.get(member)!)
    this.slaves.delete(member)
  }

  /** A message that these report. */
  append(...reporters: readonly Slave[]): number {
    this.logEnd += 100
    for (const slave of reporters) {
      slave.position = slave.confirmedTo = this.logEnd
      this.progress.confirm(this.logEnd)
    }
    return this.logEnd
  }

  isAcknowledged(end: number): boolean {
    return this.progress.confirmedOffset >= end
  }

  async maintain(): Promise<void> {
    await this.inSync.maintain(this.group()).catch(() => {})
  }

  /** What was written is what is read from now on. */
  accept(): void {
    this.members = this.written()
  }

  written(): string[] {
    return (JSON.parse(this.writes.at(-1)!.put![keys.inSync]!) as { members: string[] }).members
  }

  private group(): GroupState {
    const place = { address: 'A:0', haAddress: 'A:1', session: 's' }
    const entry = (value: object) => ({ value: JSON.stringify(value), revision: 7 })
    const entries = new Map<string, { value: string; revision: number }>([
      [keys.master, entry({ member: 'A', epoch: 5, ...place })],
      [keys.inSync, entry({ members: this.members, master: 'A', epoch: 5, role: 'SYNC_MASTER' })],
    ])
    for (const member of this.slaves.keys())
      entries.set(keys.member(member), entry({ address: `${member}:0`, haFrom: `${member}:1` }))
    return groupState(entries)
  }
}

describe('who has all that was acknowledged', () => {
  test('nothing is acknowledged before it is known who belongs to it', () => {
    const master = new Master(['A'])
    const slave = master.connect('B')
    assert.equal(master.isAcknowledged(master.append(slave)), false)
  })

  test('one that has gone is waited for until it is written that it does not belong to it', async () => {
    const master = new Master(['A', 'B', 'C'])
    const [b, c] = [master.connect('B'), master.connect('C')]
    await master.maintain()
    const first = master.append(b)
    assert.equal(master.isAcknowledged(first), false)
    c.confirmedTo = c.position = first
    master.progress.confirm(first)
    assert.equal(master.isAcknowledged(first), true)
    master.gone('C')
    master.answer = async () => {
      throw new Error('away')
    }
    await master.maintain()
    const second = master.append(b)
    assert.equal(master.isAcknowledged(second), false)
    assert.equal(master.others, 2)
    master.answer = async () => true
    await master.maintain()
    assert.deepEqual(master.written(), ['A', 'B'])
    assert.equal(master.isAcknowledged(second), true)
  })

  test('one that comes is waited for before it is written that it belongs to it, and has what was there then', async () => {
    const master = new Master(['A', 'B'])
    const b = master.connect('B')
    await master.maintain()
    // Nearly all.
    const c = master.connect('C', master.logEnd - 50)
    await master.maintain()
    assert.deepEqual(master.writes, [])
    const first = master.append(b)
    assert.equal(master.isAcknowledged(first), false)
    c.confirmedTo = c.position = first - 100
    let written: (isDone: boolean) => void = () => {}
    master.answer = () => new Promise(resolve => (written = resolve))
    const maintained = master.maintain()
    assert.deepEqual(master.written(), ['A', 'B', 'C'])
    const second = master.append(b)
    assert.equal(master.isAcknowledged(second), false)
    written(true)
    await maintained
    assert.equal(master.isAcknowledged(second), false)
    c.confirmedTo = c.position = second
    master.progress.confirm(second)
    assert.equal(master.isAcknowledged(second), true)
  })

  test('one of whose coming nobody knows whether it is written may belong to it, until another write says so or not', async () => {
    const master = new Master(['A', 'B'])
    const b = master.connect('B')
    await master.maintain()
    master.connect('C')
    master.answer = async () => {
      throw new Error('no answer')
    }
    await master.maintain()
    assert.deepEqual(master.written(), ['A', 'B', 'C'])
    master.gone('C')
    await master.maintain()
    const end = master.append(b)
    assert.equal(master.isAcknowledged(end), false)
    assert.equal(master.others, 2)
    master.answer = async () => true
    await master.maintain()
    assert.deepEqual(master.written(), ['A', 'B'])
    assert.equal(master.isAcknowledged(end), true)
  })

  test('it is written only while this broker is the master, over the set that was read', async () => {
    const master = new Master(['A', 'B'])
    await master.maintain()
    assert.deepEqual(master.writes.at(-1)?.when, { [keys.master]: 7, [keys.inSync]: 7 })
  })
})

describe('a master that cannot renew its lease', () => {
  const guarded = (waitsForOthers: boolean, others: number) => {
    const clock = new SimClock()
    const progress = new SlaveProgress(
      () => 0,
      () => 100,
    )
    const held: string[] = []
    const guard = new LeaseGuard({
      ...{ clock, events: new EventHub(), progress, waitsForOthers, others: () => others },
      hold: remark => {
        held.push(remark)
        return () => void held.pop()
      },
      beforeAppends: () => {},
    })
    guard.confirmed(clock.monotonic() + 1000)
    return { clock, progress, held, guard }
  }

  for (const waitsForOthers of [false, true])
    test(`takes nothing when its lease may have ended: ${waitsForOthers ? 'SYNC_MASTER without slaves' : 'ASYNC_MASTER'}`, async () => {
      const { clock, held, guard, progress } = guarded(waitsForOthers, 1)
      if (!waitsForOthers)
        progress.joined({ slave: 's', position: 0, confirmedTo: 0, keepsUp: true, sentTo: 0, bytesPerSecond: 0 })
      await clock.advanceAsync(999)
      assert.deepEqual(held, [])
      await clock.advanceAsync(1)
      assert.equal(held.length, 1)
      guard.confirmed(clock.monotonic() + 1000)
      assert.deepEqual(held, [])
      guard.stop()
    })

  test('goes on where nobody else could be the master', async () => {
    const { clock, held, guard } = guarded(false, 0)
    await clock.advanceAsync(10_000)
    assert.deepEqual(held, [])
    guard.stop()
  })

  test('goes on as a SYNC_MASTER while one of the others answers', async () => {
    const { clock, held, guard, progress } = guarded(true, 1)
    progress.joined({ slave: 's', position: 0, confirmedTo: 0, keepsUp: true, sentTo: 0, bytesPerSecond: 0 })
    await clock.advanceAsync(10_000)
    assert.deepEqual(held, [])
    guard.stop()
  })
})
