import assert from 'node:assert/strict'
import { test } from 'node:test'
import { type Event, EventHub, SimClock, SimDisk } from '@skua-mq/runtime'
import { noTimerCheckpoint, TimerCheckFile } from '@skua-mq/store'
import { TimerFollower } from '../../src/timer/timer-follower.ts'

function setting() {
  const clock = new SimClock()
  const disk = new SimDisk(clock)
  const told: Event[] = []
  const events = new EventHub()
  events.subscribe(event => told.push(event))
  disk.makeDirectory('/store/config')
  const follower = new TimerFollower({ disk, events, root: '/store' })
  const saved = () => new TimerCheckFile(disk, '/store/config/timercheck').load()
  return { clock, disk, told, follower, saved }
}

const master = (readMs: number) => ({
  ...noTimerCheckpoint,
  readMs,
  logFlushed: 520,
  queueOffset: 9,
  masterQueueOffset: 9,
})

test('a slave keeps none of the wheel and the log of when it was a master', () => {
  const { disk, follower } = setting()
  disk.writeFile('/store/timerwheel', Buffer.from('old'))
  disk.makeDirectory('/store/timerlog')
  disk.writeFile('/store/timerlog/00000000000000000000', Buffer.from('old'))
  follower.start()
  assert.equal(disk.stat('/store/timerwheel'), undefined)
  assert.equal(disk.stat('/store/timerlog'), undefined)
})

test('what the master says is on disk when the slave has stopped, without what is only of the master’s files', async () => {
  const { clock, disk, follower, saved } = setting()
  disk.faults.slow({ on: 'write', ms: 200, path: 'timercheck' })
  follower.replace(master(1000))
  follower.replace(master(2000))
  await clock.until(follower.stop())
  const { readMs, logFlushed, queueOffset, masterQueueOffset } = saved()!
  assert.deepEqual([readMs, logFlushed, queueOffset, masterQueueOffset], [2000, 0, 0, 9])
})

test('a master that has nothing to say yet takes away nothing', async () => {
  const { follower, saved } = setting()
  follower.replace(master(1000))
  follower.replace(noTimerCheckpoint)
  follower.replace({ ...master(5000), masterQueueOffset: -1 })
  await follower.stop()
  assert.equal(saved()?.readMs, 1000)
})

test('what could not be written is told, and written when the master says it again', async () => {
  const { disk, told, follower, saved } = setting()
  disk.faults.fail({ on: 'sync', code: 'EIO', path: 'timercheck', times: 1 })
  disk.faults.fail({ on: 'write', code: 'EIO', path: 'timercheck', times: 1 })
  follower.replace(master(1000))
  await follower.stop()
  assert.deepEqual(
    told.map(({ name }) => name),
    ['timercheck of the master not saved'],
  )
  for (let n = 0; n < 3; n++) {
    follower.replace(master(1000))
    await follower.stop()
  }
  assert.equal(saved()?.readMs, 1000)
})
