import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Event, EventHub, SimClock } from '@skua-mq/runtime'
import { type FamilyConfig, familyOf } from '../../src/masters/family.ts'
import { firstPauseMs, longestPauseMs, steadyMs } from '../../src/masters/kept-alive.ts'
import { MasterGroup } from '../../src/masters/master-group.ts'
import type { MemberProcess } from '../../src/masters/member-process.ts'
import type { MemberWord } from '../../src/masters/word.ts'

const first: FamilyConfig = {
  ...{ brokerName: 'a', listenPort: 10911, storePathRootDir: '/data', storePathCommitLog: '' },
  ...{ metricsExporterType: 'DISABLE', metricsPromExporterPort: 0, grpcServerPort: 0, dashboardPort: 0 },
}

/** A process of this test: it says and ends when it is told. */
class TestProcess implements MemberProcess {
  readonly pid = 1
  readonly signals: string[] = []
  readonly ended: Promise<string>
  end!: (why: string) => void
  say!: (word: MemberWord) => void

  constructor() {
    this.ended = new Promise(resolve => {
      this.end = resolve
    })
  }

  onWord(hear: (word: MemberWord) => void): void {
    this.say = hear
  }

  terminate(): void {
    this.signals.push('SIGTERM')
  }
}

function groupOf(count: number) {
  const clock = new SimClock()
  const told: Event[] = []
  const events = new EventHub()
  events.subscribe(event => told.push(event))
  const started: { name: string; process: TestProcess }[] = []
  const group = new MasterGroup(familyOf(first, count), {
    ...{ clock, events },
    start: ({ brokerName }) => {
      const process = new TestProcess()
      started.push({ name: brokerName, process })
      return process
    },
  })
  const pauses = () => told.flatMap(({ fields }) => ('againInMs' in fields ? [fields.againInMs] : []))
  return { clock, told, started, group, pauses }
}

const settled = () => new Promise<void>(resolve => setImmediate(resolve))

test('a family is ready when all are, in whatever order they come', async () => {
  const { group, started } = groupOf(3)
  let lines: readonly string[] | undefined
  const starting = group.start().then(all => {
    lines = all
  })
  assert.equal(started.length, 3)
  started[2]!.process.say({ ready: 'two' })
  started[0]!.process.say({ ready: 'zero' })
  await settled()
  assert.equal(lines, undefined)
  started[1]!.process.say({ ready: 'one' })
  await starting
  assert.deepEqual(lines, ['zero', 'one', 'two'])
})

for (const how of ['says why', 'ends'] as const)
  test(`one that ${how} at the first start ends all, and the group says it when all have ended`, async () => {
    const { group, started, clock } = groupOf(2)
    let problem: Error | undefined
    const starting = group.start().catch(error => {
      problem = error
    })
    started[0]!.process.say({ ready: 'zero' })
    if (how === 'ends') started[1]!.process.end('exit code 70')
    else started[1]!.process.say({ problem: 'the port is taken' })
    await settled()
    assert.deepEqual(started[0]!.process.signals, ['SIGTERM'])
    started[1]!.process.end('exit code 1')
    await settled()
    assert.equal(problem, undefined)
    started[0]!.process.end('exit code 0')
    await starting
    assert.match(problem!.message, /^a-1 does not start: (the port is taken|exit code 70)$/)
    clock.advance(longestPauseMs)
    assert.equal(started.length, 2)
  })

async function running(count: number) {
  const all = groupOf(count)
  const starting = all.group.start()
  for (const { process } of all.started) process.say({ ready: '' })
  await starting
  return all
}

test('one that ends is started again, alone, and it is said', async () => {
  const { started, clock, told } = await running(2)
  started[1]!.process.end('ended by SIGKILL')
  await settled()
  assert.equal(told[0]?.name, 'a master of the family has ended, and is started again')
  assert.deepEqual(told[0]?.fields, { broker: 'a-1', pid: 1, why: 'ended by SIGKILL', againInMs: firstPauseMs })
  clock.advance(firstPauseMs - 1)
  assert.equal(started.length, 2)
  clock.advance(1)
  assert.deepEqual(
    started.map(({ name }) => name),
    ['a', 'a-1', 'a-1'],
  )
  started[2]!.process.say({ ready: '' })
  await settled()
  assert.equal(told[1]?.name, 'a master of the family is back')
  assert.deepEqual(started[0]!.process.signals, [])
})

test('one that cannot start any more is tried for ever, less and less often, with the reason', async () => {
  const { started, clock, told, pauses } = await running(1)
  started[0]!.process.end('exit code 70')
  for (let tries = 1; tries < 8; tries++) {
    await settled()
    clock.advance(longestPauseMs)
    const { process } = started.at(-1)!
    process.say({ problem: 'no disk' })
    process.end('exit code 1')
    await settled()
  }
  assert.deepEqual(pauses(), [1000, 2000, 4000, 8000, 16_000, 30_000, 30_000, 30_000])
  assert.equal((told.at(-1)!.fields as { why: string }).why, 'no disk')
})

test('one that ran for a minute begins with the short pause again, one that did not does not', async () => {
  const { started, clock, pauses } = await running(1)
  const again = async (ranMs: number) => {
    clock.advance(ranMs)
    started.at(-1)!.process.end('exit code 1')
    await settled()
    clock.advance(longestPauseMs)
    started.at(-1)!.process.say({ ready: '' })
    await settled()
  }
  await again(0)
  await again(steadyMs - 1)
  await again(steadyMs)
  assert.deepEqual(pauses(), [1000, 2000, 1000])
})

test('a stop tells all, waits for all, and nobody is started again', async () => {
  const { started, clock, group } = await running(3)
  started[2]!.process.end('exit code 70')
  await settled()
  let isOver = false
  group.end()
  const stopping = group.stop().then(() => {
    isOver = true
  })
  clock.advance(longestPauseMs)
  assert.equal(started.length, 3)
  assert.deepEqual(
    started.map(({ process }) => process.signals),
    [['SIGTERM'], ['SIGTERM'], ['SIGTERM']],
  )
  started[0]!.process.end('exit code 0')
  await settled()
  assert.equal(isOver, false)
  started[1]!.process.end('exit code 0')
  await stopping
})

test('a stop amid a start is no failure', async () => {
  const { started, group } = groupOf(2)
  const starting = group.start()
  started[0]!.process.say({ ready: 'zero' })
  group.end()
  for (const { process } of started) process.end('exit code 0')
  assert.deepEqual(await starting, [])
})
